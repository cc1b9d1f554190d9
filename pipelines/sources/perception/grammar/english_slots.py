"""English slots: the people, places, times and small specifics that sentences are filled with."""

from __future__ import annotations

from pipelines.sources.perception.grammar.shared_slots import SHARED_SLOTS

ENGLISH_SLOTS: dict[str, tuple[str, ...]] = SHARED_SLOTS | {
    "weekday": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "daypart": ("morning", "afternoon", "evening", "night"),
    "when": (
        "on {weekday} {daypart}", "around {clock} on {weekday}", "late on {weekday}", "early on {weekday}",
        "this {weekday}", "last {weekday} {daypart}", "before {meal} on {weekday}",
        "after {meal} on {weekday}",
    ),
    "since": (
        "on {weekday} {daypart}", "around {clock} on {weekday}", "since the talk with {person}",
        "after the call with {person}", "after the meeting about {topic}", "since that {weekday} in {month}",
        "for {few} days now", "for most of {month}", "after the quarrel about {topic}", "ever since {month}",
    ),
    "ahead": (
        "{weekday}", "the coming {few} weeks", "another {weekday}", "the {month} ahead",
        "the rest of {month}",
        "another {month} of {subject} classes", "the plans with {person}", "next {weekday} {daypart}",
    ),
    "span": (
        "{few} hours", "about {number} minutes", "half the {daypart}", "most of {weekday}",
        "the whole {daypart}",
        "all of {weekday} {daypart}", "nearly {few} hours",
    ),
    "family": (
        "my mother", "my father", "my sister", "my brother", "my grandmother", "my grandfather", "my aunt",
        "my uncle", "my cousin", "my sister in law", "my elder sister", "my little brother",
    ),
    "friend": (
        "{name}", "{name}", "my friend {name}", "my roommate {name}", "my best friend", "{name} from college",
        "{name} from the gym", "my old friend {name}", "{name} next door", "{name} from school",
        "my flatmate",
    ),
    "boss": (
        "my manager", "my manager {name}", "my team lead", "my supervisor {name}", "my professor",
        "the head of {subject}",
        "the area manager", "my mentor {name}",
    ),
    "stranger": (
        "the shopkeeper", "the bank clerk", "the landlord", "the auto driver", "the delivery guy",
        "the receptionist",
        "the man behind me", "a woman in the queue", "the guard", "the waiter", "the conductor", "the agent",
    ),
    "person": ("{family}", "{friend}", "{friend}", "{boss}", "my colleague {name}", "my neighbour {name}",
    "{name}"),
    "abuser": (
        "my partner", "my husband", "my wife", "my father", "my uncle", "my brother", "my stepfather",
        "my mother in law",
        "my ex", "the person I live with", "my older cousin",
    ),
    "place": (
        "the office", "the library", "the park in {area}", "the metro station at {area}",
        "the clinic in {area}",
        "the cafe in {area}", "the gym", "the canteen", "the market in {area}", "the bus stop near {area}",
        "the temple in {area}", "the new mall", "the study room", "the {subject} class", "the bank in {area}",
        "the hostel", "the {city} office", "the community hall", "the lake near {area}",
    ),
    "nth": ("second", "third", "fourth", "fifth", "sixth"),
    "praise": ("wonderful", "amazing", "lovely", "great", "brilliant", "beautiful", "charming",
    "fantastic", "sweet"),
    "meal": ("breakfast", "lunch", "dinner", "tea", "brunch"),
    "food": (
        "poha", "dosa", "biryani", "noodles", "pasta", "mango", "rajma rice", "samosas", "pancakes",
        "soup", "idli",
        "paratha", "toast", "khichdi", "sandwiches", "momos", "lemon cake", "curd rice", "pav bhaji", "salad",
    ),
    "drink": ("filter coffee", "ginger tea", "lemon soda", "cold coffee", "buttermilk", "green tea",
    "sugarcane juice"),
    "activity": (
        "badminton", "gardening", "yoga", "cycling", "sketching", "chess", "cooking", "swimming",
        "guitar practice",
        "the evening walk", "carrom", "reading", "the morning run", "cricket", "pottery", "laundry",
        "table tennis",
        "choir practice", "volunteering", "board games",
    ),
    "task": (
        "the {month} report", "my {subject} assignment", "the {subject} presentation",
        "the client deck for {city}",
        "the budget sheet", "the {subject} project", "the audit file", "the stock count",
        "the {month} newsletter",
        "the visa form", "the tax filing", "the seating plan", "the survey of {area}", "the {city} proposal",
        "the {subject} handout", "the night shift roster",
    ),
    "topic": (
        "the rent", "the {month} holiday", "the wedding guest list", "the {subject} test", "the old scooter",
        "the {weekday} schedule", "the electricity bill", "the move to {city}", "the office seating",
        "the {task_short}",
        "the water supply in {area}", "the {amount} deposit", "the school fee", "the {city} trip", "the wifi",
        "the parking spot", "the job change", "the {meal} plan", "the house key", "the family WhatsApp group",
    ),
    "task_short": ("report", "assignment", "project", "presentation", "deadline", "roster", "exam"),
    "expense": (
        "the rent", "the {subject} course fee", "the {month} bus pass", "medicine", "the phone bill",
        "the school fees",
        "the ticket to {city}", "new glasses", "groceries", "the laptop repair", "the hostel fee",
        "the {month} electricity bill",
    ),
    "item": (
        "umbrella", "phone charger", "water bottle", "notebook", "bus card", "headphones", "office badge",
        "raincoat",
        "lunch box", "scarf", "calculator", "power bank", "wallet", "library book", "spare key", "backpack",
    ),
    "show": (
        "comedy show", "concert", "theatre festival", "cricket match", "book fair", "food festival",
        "dance show",
        "film festival", "quiz final", "art exhibition",
    ),
    "occasion": (
        "{weekday} {daypart}", "the {daypart} with {person}", "the visit to {place}", "{meal} with {person}",
        "{activity} with {friend}", "the {weekday} meeting with {boss}", "the trip to {city}",
        "the {show} in {city}",
        "{weekday} at {place}", "the {subject} class on {weekday}", "work on {task}",
        "the call about {topic}",
        "the long {weekday} {daypart} at {place}", "the ride to {area}", "the first week of {month}",
    ),
    "matter": (
        "{task}", "{topic}", "how {person} spoke to me on {weekday}", "the plan for {month}",
        "the news from {city}",
        "{meal} with {person}", "what {person} said {when}", "the way {weekday} went", "{occasion}",
        "the message from {person}", "what happened at {place}", "my week at {place}",
    ),
}
