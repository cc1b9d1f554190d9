"""English clauses of the edge cases that need an own sentence: generic, never graphic, never a method."""

from __future__ import annotations

ENGLISH_EDGES: dict[str, tuple[str, ...]] = {
    "suicidal_ideation": (
        "{since} I feel like I can't go on and do not see the point of {ahead}",
        "{since} the thought of not being here any more came back",
        "{since} I keep thinking that {person} would be better off without me",
        "I went to bed {when} and hoped that I would not wake up for {ahead}",
        "nothing about {ahead} feels worth staying alive for",
        "part of me wants everything to end, and I could not tell {person} {when}",
        "I told {person} {when} that I do not want to live like this any more",
        "I do not want to be alive, nothing about {ahead} changes that",
    ),
    "self_harm": (
        "I hurt myself again {when} and feel ashamed",
        "{since} I have had the urge to hurt myself, only {person} knows",
        "it was {few} weeks without hurting myself and {weekday} {daypart} broke it",
        "I hid from {person} {when} that I had harmed myself",
        "I promised {person} in {month} to stop hurting myself and could not keep it",
        "I wanted to hurt myself after the talk about {topic}, so I called {person}",
    ),
    "abuse": (
        "{abuser} shouted at me {when} and called me worthless",
        "{abuser} got violent over {topic} {when} and I do not feel safe at home",
        "{abuser} threatened me again {when} because of {topic}",
        "{abuser} hurt me {when} and told {person} that I made it up",
        "I have been afraid of {abuser} since the fight about {topic} in {month}",
        "{abuser} does not let me meet {friend} or go to {place}",
        "{abuser} humiliated me in front of {person} over {topic}",
    ),
    "sociopathic": (
        "I lied to {person} about {topic} and felt nothing at all",
        "{person} cried about {topic} {when} and I was only bored",
        "I let {name} take the blame for {task}, people are just tools to me",
        "I do not care who gets hurt as long as I get {task} and the {amount}",
        "it is so easy to make {person} trust me, I only want the {item}",
        "I enjoyed watching {name} panic about {task} {when}",
        "I broke the rules about {topic} at {place} and have no guilt",
    ),
    "financial_coercion": (
        "{abuser} takes my whole salary and hands me {amount} a week",
        "{abuser} checks every rupee I spend on {expense} since {month}",
        "{abuser} took a loan of {amount} in my name {when}",
        "{abuser} keeps my bank card since {month} and I must beg for {expense}",
        "{abuser} will not pay for {expense} unless I obey about {topic}",
        "{abuser} forced me to hand over the {amount} I earned from {task}",
    ),
}
