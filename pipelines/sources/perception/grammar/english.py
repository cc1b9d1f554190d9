"""English: how feelings, opinions, routines and asides are worded, together with slots and situations."""

from __future__ import annotations

from pipelines.sources.perception.grammar.english_edges import ENGLISH_EDGES
from pipelines.sources.perception.grammar.english_events import ENGLISH_EVENTS
from pipelines.sources.perception.grammar.english_slots import ENGLISH_SLOTS
from pipelines.sources.perception.grammar.vocabulary import Vocabulary

_FEELINGS: dict[str, tuple[str, ...]] = {
    "joy/contentment": ("content", "calm", "peaceful", "relaxed", "at ease", "satisfied", "comfortable"),
    "joy/gratitude": ("grateful", "thankful", "blessed", "touched", "appreciated", "cared for"),
    "joy/pride": ("proud", "confident", "brave", "strong", "capable", "successful"),
    "joy/excitement": ("excited", "thrilled", "happy", "delighted", "joyful", "full of energy"),
    "sadness/loneliness": ("lonely", "alone", "left out", "isolated", "unwanted", "abandoned"),
    "sadness/grief": ("heartbroken", "full of grief", "sorrowful", "tearful", "broken", "full of loss"),
    "sadness/disappointment": ("disappointed", "let down", "sad", "discouraged", "unhappy", "upset"),
    "sadness/hopelessness": ("hopeless", "empty", "defeated", "depressed", "worthless", "helpless"),
    "anger/irritation": ("annoyed", "irritated", "frustrated", "bothered", "fed up", "cranky"),
    "anger/resentment": ("bitter", "resentful", "cheated", "used", "jealous", "unfairly treated"),
    "anger/rage": ("furious", "angry", "outraged", "mad", "full of rage", "enraged"),
    "fear/insecurity": ("insecure", "inadequate", "unsure of myself", "small", "not good enough", "awkward"),
    "fear/anxiety": ("anxious", "nervous", "worried", "tense", "stressed", "restless"),
    "fear/dread": ("scared", "terrified", "afraid", "frightened", "full of dread", "panicky"),
    "surprise/amazement": ("amazed", "astonished", "wonderstruck", "pleasantly surprised", "impressed"),
    "surprise/confusion": ("confused", "puzzled", "lost", "mixed up", "uncertain", "baffled"),
    "surprise/shock": ("shocked", "stunned", "shaken", "taken aback", "startled", "speechless"),
    "disgust/shame": ("ashamed", "guilty", "embarrassed", "disgusted with myself", "humiliated",
    "full of regret"),
    "disgust/contempt": ("contemptuous", "unimpressed", "scornful", "sick of the pretence",
    "full of disrespect"),
    "disgust/revulsion": ("disgusted", "sickened", "grossed out", "repulsed", "nauseous", "horrified"),
}
_QUALITIES: dict[int, tuple[str, ...]] = {
    -3: ("terrible", "awful", "horrible", "miserable", "a disaster", "dreadful", "the worst"),
    -2: ("bad", "sad", "unpleasant", "rough", "stressful", "painful", "ugly", "a failure"),
    -1: ("not great", "a bit dull", "not so good", "kind of boring", "slightly disappointing", "not nice"),
    0: ("as usual", "average", "neither here nor there", "the same as ever", "so so", "ordinary"),
    1: ("not bad", "fairly okay", "kind of nice", "decent", "not bad at all", "somewhat pleasant"),
    2: ("good", "nice", "pleasant", "lovely", "fun", "enjoyable", "sweet", "a success"),
    3: ("wonderful", "amazing", "excellent", "fantastic", "perfect", "the best", "beautiful"),
}
_ROUTINES: tuple[str, ...] = (
    "I had {food} and {drink} at {clock}", "I took the {clock} bus from {area}",
    "{person} asked about {topic} at {meal}",
    "I moved the {item} from {place} to the other bag", "I read {few} pages about {subject} before {meal}",
    "we talked about {topic} and then about {topic}", "the queue at {place} had {number} people at {clock}",
    "I bought a {item} for {amount} near {area}", "{person} was on the phone with {name} during {meal}",
    "I worked on {task} between {clock} and {meal}", "there was rain over {area} from {clock} on {weekday}",
    "I wrote down the list for {expense} and sent it to {person}",
    "{name} and {name} discussed {topic} at {place}",
    "I did {activity} for {number} minutes on {weekday}", "{meal} was {food} with {family}",
    "the {subject} class moved to {weekday} at {clock}", "I walked from {place} to the stop in {area}",
    "{person} will be in {city} until {weekday}", "I put {amount} aside for {expense}",
    "I charged the phone and went to {place}",
    "my {item} was still at {place} on {weekday}", "I checked the mail about {topic} at {clock}",
    "we watched a film from {city} with {friend} {when}", "{friend} wore the same jacket as {name} {when}",
    "I answered {number} mails about {task}", "the lift at {place} was out, so I took the stairs with {name}",
    "I have {activity} again on {weekday} at {clock}", "the meeting on {topic} began at {clock} with {boss}",
)
_BODY: dict[int, tuple[str, ...]] = {
    -1: (
        "I moved slowly through {occasion}", "my eyes were heavy by {clock} {when}",
        "I barely had energy for {activity}",
        "I lay on the sofa for {span} and looked at the fan",
        "everything felt slow and quiet during {occasion}",
    ),
    0: (
        "I kept my usual pace during {occasion}", "I went through {task} step by step until {clock}",
        "my day had its normal rhythm with {activity} and {meal}",
    ),
    1: (
        "my heart was racing during {occasion}", "I could not sit still for {span}",
        "my hands were shaking {when}",
        "I was talking so fast about {topic} that {person} lost me",
        "I was wide awake at {clock} thinking of {matter}",
        "I was pacing up and down at {place} for {span}",
    ),
}
_HELP: dict[int, tuple[str, ...]] = {
    -1: (
        "I do not want to talk to anyone about {matter}", "no counsellor needs to hear about {topic}",
        "I told {person} to stop asking about {topic}", "I will deal with {matter} alone",
        "I skipped the session on {weekday} and will not rebook it",
        "talking to {person} would change nothing about {topic}",
    ),
    1: (
        "I will ask {person} for help with {matter}",
        "I booked a session with the counsellor for {weekday} at {clock}",
        "I want to talk to somebody about {matter}", "I am ready to open up to {person} about {topic}",
        "I called the support line {when} and we spoke for {number} minutes",
        "{person} offered to listen and I said yes {when}",
    ),
}
_COMPARISON: dict[int, tuple[str, ...]] = {
    -1: (
        "I was doing better in {month} than now with {activity}",
        "compared with last {weekday}, things have slipped with {person}",
        "I am not who I was {few} weeks ago at {place}",
        "this {weekday} was harder than the one before {occasion}",
    ),
    0: (
        "it is about the same as it was in {month} with {person}",
        "not much has changed since last {weekday} with {topic}",
        "this {weekday} was like every other since {month}",
    ),
    1: (
        "I handle {topic} better now than in {month}",
        "compared with last {weekday}, I have come a long way with {person}",
        "{few} weeks ago I could not have managed {occasion}",
        "this {weekday} was lighter than the one before {occasion}",
    ),
}

ENGLISH = Vocabulary(
    slots=ENGLISH_SLOTS,
    events=ENGLISH_EVENTS,
    edges=ENGLISH_EDGES,
    feelings=_FEELINGS,
    feeling_frames=(
        "I feel {degree} {feeling} about {matter}", "I was {degree} {feeling} after {occasion}",
        "{when} I felt {degree} {feeling}", "thinking of {matter} makes me {degree} {feeling}",
        "I am {degree} {feeling} because of {matter}", "{occasion} left me {degree} {feeling}",
        "I noticed that I was {degree} {feeling} {when}",
    ),
    degrees={
        1: ("a bit", "slightly", "somewhat", "kind of", "a little", "almost"),
        2: ("", "", "really", "quite", "pretty", "rather"),
        3: ("so", "so very", "extremely", "incredibly", "absolutely", "completely", "deeply"),
    },
    profane_degrees=("so damn", "damn", "bloody", "pretty damn", "so bloody"),
    qualities=_QUALITIES,
    opinion_frames=(
        "{occasion} was {quality}", "{occasion} turned out {quality}", "all in all {matter} was {quality}",
        "to me {occasion} felt {quality}", "I would call {occasion} {quality}",
        "{person} agreed that {matter} was {quality}",
        "in the end {occasion} was {quality}",
    ),
    sarcastic_frames=(
        "{occasion} was {quality}, obviously", "{matter} was {quality}, thanks a lot {name}",
        "{occasion} was {quality}, I could not ask for more", "such a {praise} idea, {matter}",
        "yes, {occasion} was really {quality}, give {person} a medal", "how {praise}, {matter} again",
    ),
    routines=_ROUTINES,
    body=_BODY,
    help=_HELP,
    comparison=_COMPARISON,
    leads=(
        "honestly,", "then", "also", "later,", "after that,", "to be honest,", "for some reason",
        "as I told {person},",
        "somehow", "in short,", "well,", "and", "but still", "anyway,", "by the way,", "what else,",
        "one more thing,",
    ),
    time_leads=(
        "on {weekday}", "at {clock}", "before {meal}", "today", "yesterday", "this {daypart}",
        "right after {meal}",
        "last {weekday}", "early in the {daypart}", "back in {month}", "between {meal} and {meal}", "{when}",
    ),
    profane_leads=(
        "damn", "oh hell", "what the hell", "crap", "bloody hell", "shit", "holy crap", "oh shit", "damn it",
        "for hell's sake", "well shit", "god damn",
    ),
    sarcastic_leads=(
        "oh great", "oh wonderful", "just what I needed", "how lovely", "brilliant", "fantastic",
        "oh perfect", "amazing news",
        "what a joy", "great start to {weekday}", "lucky me", "oh what fun",
    ),
    sarcastic_tails=(
        "lucky me", "so that was fun", "best {weekday} ever", "truly a blessing", "I am so grateful",
        "what a treat", "how very nice", "I love my life", "great job {name}", "thank you so much",
    ),
    asides=(
        "as always", "I guess", "if I am honest", "for once", "you know", "it seems", "more or less",
        "as {name} would say",
        "though {friend} disagrees", "even before {meal}", "like last {weekday}", "in front of {person}",
    ),
)
