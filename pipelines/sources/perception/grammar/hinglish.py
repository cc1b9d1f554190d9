"""Hinglish: how feelings, opinions, routines and asides are worded, together with slots and situations."""

from __future__ import annotations

from pipelines.sources.perception.grammar.hinglish_edges import HINGLISH_EDGES
from pipelines.sources.perception.grammar.hinglish_events import HINGLISH_EVENTS
from pipelines.sources.perception.grammar.hinglish_slots import HINGLISH_SLOTS
from pipelines.sources.perception.grammar.vocabulary import Vocabulary

_FEELINGS: dict[str, tuple[str, ...]] = {
    "joy/contentment": ("calm", "relaxed", "sukoon mein", "santusht", "peaceful", "satisfied"),
    "joy/gratitude": ("grateful", "thankful", "blessed", "shukraguzar", "touched"),
    "joy/pride": ("proud", "confident", "garv se bhara", "strong", "successful"),
    "joy/excitement": ("excited", "khush", "happy", "thrilled", "josh mein", "delighted"),
    "sadness/loneliness": ("[akela/akeli]", "lonely", "left out", "tanha", "alone"),
    "sadness/grief": ("heartbroken", "[toota hua/tooti hui]", "gham mein", "dukh mein", "tearful"),
    "sadness/disappointment": ("disappointed", "niraash", "udaas", "sad", "upset", "let down"),
    "sadness/hopelessness": ("hopeless", "khaali khaali", "[haara hua/haari hui]", "helpless",
    "depressed", "worthless"),
    "anger/irritation": ("annoyed", "irritated", "frustrated", "pareshan", "[chidha hua/chidhi hui]"),
    "anger/resentment": ("bitter", "cheated", "jealous", "[jala hua/jali hui]", "used"),
    "anger/rage": ("furious", "angry", "gusse mein", "mad", "[bhadka hua/bhadki hui]"),
    "fear/insecurity": ("insecure", "[chhota/chhoti]", "not good enough", "awkward", "kamzor"),
    "fear/anxiety": ("anxious", "nervous", "tension mein", "worried", "bechain", "stressed"),
    "fear/dread": ("scared", "[dara hua/dari hui]", "afraid", "terrified", "sehma sehma"),
    "surprise/amazement": ("amazed", "hairaan khushi se", "impressed", "pleasantly surprised"),
    "surprise/confusion": ("confused", "uljhan mein", "lost", "puzzled", "mixed up"),
    "surprise/shock": ("shocked", "[hakka bakka/hakki bakki]", "stunned", "sann", "shaken"),
    "disgust/shame": ("sharminda", "guilty", "ashamed", "embarrassed", "pachhtave mein"),
    "disgust/contempt": ("[chidha/chidhi] dikhave se", "unimpressed", "nafrat se bhara", "sick of the drama"),
    "disgust/revulsion": ("disgusted", "ghin se bhara", "grossed out", "sickened"),
}
_QUALITIES: dict[int, tuple[str, ...]] = {
    -3: ("bahut hi bekaar", "terrible", "ekdum ghatiya", "horrible", "poora barbaad", "sabse bura"),
    -2: ("bura", "kharab", "bad", "dukhi karne wala", "stressful", "sad", "bekaar"),
    -1: ("kuch khaas nahi", "thoda boring", "not great", "thoda feeka", "itna accha nahi"),
    0: ("theek thaak", "normal", "roz jaisa", "so so", "na accha na bura"),
    1: ("thoda accha", "bura nahi", "not bad", "theek hi", "kaafi okay"),
    2: ("accha", "badhiya", "nice", "mazedaar", "good", "pyaara", "fun"),
    3: ("bahut hi accha", "zabardast", "amazing", "ekdum mast", "wonderful", "sabse best", "shaandar"),
}
_ROUTINES: tuple[str, ...] = (
    "{clock} baje {food} aur {drink} li", "{area} se {clock} baje ki bus pakdi",
    "{meal} pe {person} ne {topic} ke baare mein poocha",
    "{place} se {item} leke doosre bag mein rakha", "{meal} se pehle {subject} ke {few} page padhe",
    "pehle {topic} aur phir {topic} ki baat hui", "{clock} baje {place} ki line mein {number} log the",
    "{area} se {amount} ka {item} liya", "{meal} ke time {person} {name} se phone pe tha",
    "{clock} baje se {meal} tak {task} kiya", "{weekday} ko {clock} baje se {area} mein baarish thi",
    "{expense} ki list bana ke {person} ko bheji",
    "{name} aur {name} {place} mein {topic} pe baat kar rahe the",
    "{weekday} ko {number} minute {activity} kiya", "{meal} mein {food} tha, {family} ke saath",
    "{subject} ki class ab {weekday} ko {clock} baje hai", "{place} se {area} stop tak paidal [gaya/gayi]",
    "{person} {weekday} tak {city} mein hai", "{expense} ke liye {amount} alag rakhe",
    "mera {item} {weekday} ko bhi {place} mein hi tha", "{friend} ke saath {when} {city} wali movie dekhi",
    "{task} ke {number} mail ka jawab diya",
    "{place} ki lift band thi to {name} ke saath seedhi se [gaya/gayi]",
    "{weekday} ko {clock} baje phir {activity} hai",
    "{boss} ke saath {topic} wali meeting {clock} baje shuru hui",
)
_BODY: dict[int, tuple[str, ...]] = {
    -1: (
        "{occasion} mein sab slow slow laga", "{clock} baje tak aankhein bhaari thi {when}",
        "{activity} ki bhi energy nahi thi",
        "{span} sofa pe pade pade fan [dekhta raha/dekhti rahi]",
    ),
    0: (
        "{occasion} apni normal speed se chala", "{clock} baje tak {task} step by step kiya",
        "{activity} aur {meal} wala normal din tha",
    ),
    1: (
        "{occasion} mein dil zor se dhadak raha tha", "{span} ek jagah baitha nahi gaya",
        "{when} haath kaanp rahe the",
        "{topic} pe itna fast [bola/boli] ki {person} samajh hi nahi paya",
        "{clock} baje tak jaag ke {matter} soch [raha tha/rahi thi]",
    ),
}
_HELP: dict[int, tuple[str, ...]] = {
    -1: (
        "{matter} ke baare mein kisi se baat nahi karni", "{topic} ke liye counsellor ki zaroorat nahi",
        "{person} ko bol diya ki {topic} pe mat pooche", "{matter} main akele dekh [lunga/lungi]",
        "{weekday} ka session chhod diya aur ab nahi jana",
        "{person} se baat karke {topic} mein kuch nahi badlega",
    ),
    1: (
        "{matter} ke liye {person} se help [lunga/lungi]",
        "{weekday} ko {clock} baje counsellor ka session book kiya",
        "{matter} ke baare mein kisi se baat karni hai",
        "{topic} pe {person} se khul ke baat karne ko ready hoon",
        "{when} helpline pe call kiya aur {number} minute baat hui",
        "{person} ne sunne ko bola aur maine {when} haan kar di",
    ),
}
_COMPARISON: dict[int, tuple[str, ...]] = {
    -1: (
        "{month} mein main {activity} mein isse better [tha/thi]",
        "pichhle {weekday} se {person} ke saath cheezein bigdi hain",
        "{few} hafte pehle {place} mein main aisa nahi [tha/thi]",
        "{occasion} pichhli baar se zyada mushkil tha",
    ),
    0: ("{person} ke saath sab {month} jaisa hi hai", "pichhle {weekday} se {topic} mein kuch nahi badla"),
    1: (
        "{topic} ab {month} se better [sambhalta/sambhalti] hoon",
        "pichhle {weekday} se {person} ke saath kaafi sudhaar hai",
        "{few} hafte pehle {occasion} mujhse nahi hota", "{occasion} pichhli baar se halka laga",
    ),
}

HINGLISH = Vocabulary(
    slots=HINGLISH_SLOTS,
    events=HINGLISH_EVENTS,
    edges=HINGLISH_EDGES,
    feelings=_FEELINGS,
    feeling_frames=(
        "{matter} ko leke main {degree} {feeling} hoon",
        "{occasion} ke baad main {degree} {feeling} [tha/thi]",
        "{when} main {degree} {feeling} [tha/thi]",
        "{matter} soch ke main {degree} {feeling} ho [jata/jati] hoon",
        "main {degree} {feeling} hoon because of {matter}", "I feel {degree} {feeling}, {matter} ki wajah se",
    ),
    degrees={
        1: ("thoda", "thoda sa", "halka sa", "kind of", "a bit"),
        2: ("", "", "kaafi", "really", "sach mein"),
        3: ("bahut", "bahut zyada", "itna", "so so", "extremely", "bilkul"),
    },
    profane_degrees=("so damn", "damn", "saala itna", "bloody"),
    qualities=_QUALITIES,
    opinion_frames=(
        "{occasion} {quality} tha", "{occasion} {quality} nikla", "{matter} kul mila ke {quality} tha",
        "mere liye {occasion} {quality} raha", "{person} ko bhi {matter} {quality} laga",
        "yaar {occasion} {quality} tha",
        "{matter} was {quality} yaar",
    ),
    sarcastic_frames=(
        "{occasion} to {quality} tha, kya hi bolu", "waah, {matter} kitna {praise}",
        "{occasion} itna {praise}, {person} ko medal do",
        "{matter} se {praise} to kuch ho hi nahi sakta", "bilkul {praise} idea, {matter}",
    ),
    routines=_ROUTINES,
    body=_BODY,
    help=_HELP,
    comparison=_COMPARISON,
    leads=(
        "sach bolu to", "phir", "aur", "uske baad", "pata nahi kyun", "waise",
        "jaise {person} ko bataya,", "matlab",
        "yaar", "lekin", "to be honest,", "suno,", "dekho,", "anyway,", "ek aur baat,", "kya bolu,",
    ),
    time_leads=(
        "{weekday} ko", "{clock} baje", "{meal} se pehle", "aaj", "kal", "is {daypart}",
        "{meal} ke turant baad", "{when}",
        "{month} mein", "pichhle {weekday}",
    ),
    profane_leads=(
        "damn", "abe saala", "shit yaar", "what the hell yaar", "bhaad mein jaaye", "oh shit", "saala",
        "bloody hell", "crap yaar", "kamina din",
    ),
    sarcastic_leads=(
        "waah kya baat hai", "oh great", "kitna accha", "bas yahi chahiye tha", "bahut khoob", "wah wah",
        "kya luck hai",
        "oh wonderful", "maza aa gaya", "shaandar",
    ),
    sarcastic_tails=(
        "kya kismat hai", "best {weekday} ever", "thank you so much", "kitna maza aaya",
        "dil khush ho gaya", "wah {name} wah",
        "I love my life", "aur kya chahiye", "bahut meherbani",
    ),
    asides=(
        "hamesha ki tarah", "I guess", "you know", "lagta hai", "jaise {name} bolta hai",
        "{friend} ke saamne",
        "pichhle {weekday} ki tarah", "kya bolu", "bas yahi", "{meal} se bhi pehle",
    ),
)
