"""Hinglish clauses of the edge cases that need an own sentence: generic, never graphic, never a method."""

from __future__ import annotations

HINGLISH_EDGES: dict[str, tuple[str, ...]] = {
    "suicidal_ideation": (
        "{since} lagta hai ki ab aur nahi jeena, {ahead} ka koi matlab nahi",
        "{since} mann mein aata hai ki main na rahu to {person} ke liye accha hoga",
        "{when} socha ki kal subah aankh hi na khule, {ahead} dekhna hi nahi",
        "{person} ko {when} bata nahi [paya/payi] ki sab khatam karne ka mann hai",
        "I feel like I can't go on, {ahead} ka point nahi dikhta",
        "{since} jeene ka mann nahi karta, {ahead} bhi bekaar lagta hai",
    ),
    "self_harm": (
        "{when} maine phir se khud ko hurt kiya aur sharam aa rahi hai",
        "{since} khud ko chot dene ka mann karta hai, sirf {person} ko pata hai",
        "{few} hafte se khud ko hurt nahi kiya tha, {when} phir ho gaya",
        "{person} se {when} chhupaya ki maine khud ko nuksaan pahunchaya",
        "{month} mein {person} ko promise kiya ki khud ko hurt nahi [karunga/karungi], tod diya",
    ),
    "abuse": (
        "{abuser} {when} mujh pe chillaye aur bola ki main kisi kaam [ka/ki] nahi",
        "{topic} pe {abuser} {when} violent ho gaye, ghar mein safe nahi lagta",
        "{abuser} ne {topic} ke liye {when} phir dhamki di",
        "{abuser} ne {when} mujhe maara aur {person} ko bola ki main jhooth bol [raha/rahi] hoon",
        "{month} ki {topic} wali ladai ke baad {abuser} se darr lagta hai",
        "{abuser} mujhe {friend} se milne ya {place} jaane nahi dete",
    ),
    "sociopathic": (
        "{topic} pe {person} se jhooth bola aur mujhe kuch feel hi nahi hua",
        "{when} {person} {topic} pe ro raha tha aur main bore ho [raha tha/rahi thi]",
        "{task} ka blame {name} pe daal diya, log mere liye bas tool hain",
        "kisi ko hurt ho to ho, mujhe {task} aur {amount} chahiye",
        "{when} {task} pe {name} ko panic karte dekh ke maza aaya",
        "{place} mein {topic} ke rules tode aur koi guilt nahi",
    ),
    "financial_coercion": (
        "{abuser} meri poori salary le lete hain aur hafte ke {amount} dete hain",
        "{month} se {abuser} {expense} ke ek ek rupaye ka hisaab maangte hain",
        "{abuser} ne {when} mere naam pe {amount} ka loan le liya",
        "{month} se mera bank card {abuser} ke paas hai, {expense} ke liye bheekh maangni padti hai",
        "{abuser} bole ki {topic} pe baat maano warna {expense} ke paise nahi",
        "{task} se jo {amount} kamaye woh {abuser} ne zabardasti le liye",
    ),
}
