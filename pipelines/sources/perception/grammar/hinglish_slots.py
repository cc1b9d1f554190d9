"""Hinglish slots (Hindi in Latin script, mixed with English): people, places, times and small specifics."""

from __future__ import annotations

from pipelines.sources.perception.grammar.shared_slots import SHARED_SLOTS

HINGLISH_SLOTS: dict[str, tuple[str, ...]] = SHARED_SLOTS | {
    "weekday": ("Somvar", "Mangalvar", "Budhvar", "Guruvar", "Shukravar", "Shanivar", "Sunday", "Monday",
    "Friday"),
    "daypart": ("subah", "dopahar", "shaam", "raat"),
    "few": ("do", "teen", "char", "paanch", "chhe", "saat", "aath", "nau", "das"),
    "nth": ("doosri", "teesri", "chauthi", "paanchvi"),
    "praise": ("badhiya", "shaandar", "mast", "kamaal", "wonderful", "amazing", "lovely", "great", "awesome"),
    "when": (
        "{weekday} ki {daypart} ko", "{weekday} ko {clock} baje", "kal {daypart}", "aaj {daypart}",
        "pichhle {weekday}",
        "{weekday} ko {meal} ke baad", "aaj {clock} baje", "parso {daypart}",
    ),
    "since": (
        "{weekday} ki {daypart} se", "{person} se baat ke baad se", "{topic} wali ladai ke baad",
        "{few} din se",
        "{month} ke baad se", "{person} ke call ke baad", "aaj {clock} baje se", "pichhle {weekday} se",
    ),
    "ahead": (
        "agle {weekday}", "aane wale {few} hafte", "{month} ka mahina", "agle {few} din", "ek aur {weekday}",
        "{subject} ki agli class", "{person} ke saath ka plan",
    ),
    "span": (
        "{few} ghante", "{number} minute", "poori {daypart}", "poora {weekday}", "aadhi {daypart}",
        "kareeb {few} ghante",
    ),
    "family": (
        "mummy", "papa", "didi", "bhaiya", "dadi", "nani", "chacha", "mausi", "bua", "chhota bhai",
        "badi behen", "bhabhi", "mama ji", "cousin {name}",
    ),
    "friend": (
        "{name}", "{name}", "dost {name}", "best friend {name}", "roommate {name}", "college wale {name}",
        "gym wale {name}", "padosi {name}", "school friend {name}", "flatmate",
    ),
    "boss": ("manager", "manager {name}", "team lead", "{name} ji", "HR wale {name}", "professor",
    "{subject} wale sir"),
    "stranger": (
        "dukaan wala", "bank wala", "makaan malik", "auto wala", "delivery wala", "guard", "waiter",
        "conductor", "agent",
        "line mein ek aadmi", "ticket wala",
    ),
    "person": ("{family}", "{friend}", "{friend}", "{boss}", "colleague {name}", "padosi {name}", "{name}"),
    "abuser": ("pati", "papa", "chacha", "sasural wale", "mera partner", "bade bhai", "meri saas",
    "mera ex", "ghar wale"),
    "place": (
        "office", "library", "{area} wala park", "{area} metro station", "{area} wala clinic",
        "{area} wala cafe", "gym",
        "canteen", "{area} market", "{area} bus stop", "{area} ka mandir", "naya mall", "{subject} ki class",
        "{area} wala bank", "hostel", "{city} wala office", "community hall",
    ),
    "meal": ("nashta", "lunch", "dinner", "shaam ki chai"),
    "food": (
        "poha", "dosa", "biryani", "maggi", "rajma chawal", "samosa", "idli", "aloo paratha", "khichdi",
        "momos",
        "pav bhaji", "chole bhature", "dal chawal", "jalebi", "upma", "kheer", "pani puri", "sandwich",
    ),
    "drink": ("filter coffee", "adrak wali chai", "nimbu soda", "cold coffee", "chaas", "green tea",
    "ganne ka ras"),
    "activity": (
        "badminton", "gardening", "yoga", "cycling", "sketching", "chess", "cooking", "swimming",
        "guitar practice",
        "evening walk", "carrom", "reading", "morning run", "cricket", "table tennis", "volunteering", "ludo",
    ),
    "task": (
        "{month} wali report", "{subject} ka assignment", "{subject} ki presentation",
        "{city} client ka deck",
        "budget sheet", "{subject} ka project", "audit file", "stock count", "visa form", "tax ke papers",
        "{area} ka survey", "{city} wala proposal", "{subject} ke notes", "night shift roster",
    ),
    "topic": (
        "kiraya", "{month} ki chhutti", "shaadi ki guest list", "{subject} ke marks", "purana scooter",
        "{weekday} ka schedule", "bijli ka bill", "{city} shifting", "office seating",
        "{area} mein paani ki dikkat",
        "{amount} ka deposit", "school fees", "{city} trip", "wifi", "parking", "job change",
        "ghar ki chaabi",
        "family WhatsApp group",
    ),
    "expense": (
        "kiraya", "{subject} course ki fees", "{month} ka bus pass", "dawai", "phone ka bill", "school fees",
        "{city} ka ticket", "naya chashma", "ration", "laptop repair", "hostel fees", "{month} ka bijli bill",
    ),
    "item": (
        "chhata", "phone charger", "helmet", "register", "bus card", "headphones", "office badge", "raincoat",
        "tiffin", "calculator", "power bank", "wallet", "rumaal", "bag",
    ),
    "show": ("comedy show", "concert", "natak", "cricket match", "book fair", "food festival",
    "dance show", "quiz final"),
    "occasion": (
        "{weekday} ki {daypart}", "{person} ke saath {meal}", "{place} ka chakkar",
        "{friend} ke saath {activity}",
        "{boss} ke saath {weekday} ki meeting", "{city} ki trip", "{city} ka {show}",
        "{subject} ki {weekday} wali class",
        "{task} ka kaam", "{topic} wala call", "{place} mein {weekday} ka din", "{month} ka pehla hafta",
    ),
    "matter": (
        "{task}", "{topic}", "{person} ki {weekday} wali baat", "{month} ka plan", "{city} wali khabar",
        "{person} ke saath {meal}", "{occasion}", "{person} ka message", "{place} mein jo hua",
        "{place} wala hafta",
    ),
}
