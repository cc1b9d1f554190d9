"""Slots that both languages use as they stand: names, areas, cities, months, clock times, amounts."""

from __future__ import annotations

SHARED_SLOTS: dict[str, tuple[str, ...]] = {
    "name": (
        "Aarav", "Aditi", "Akash", "Alina", "Aman", "Ananya", "Arjun", "Asha", "Bharat", "Carol", "Charu",
        "Chetan",
        "Daniel", "Deepa", "Dev", "Diya", "Esha", "Farah", "Gaurav", "Geeta", "Harsh", "Imran", "Ishita",
        "Jaya",
        "Joel", "Kabir", "Kavya", "Kiran", "Kunal", "Lakshmi", "Leena", "Manav", "Maria", "Meera",
        "Mohit", "Nadia",
        "Naina", "Neha", "Nikhil", "Nisha", "Omkar", "Pallavi", "Pooja", "Pranav", "Priya", "Rahul",
        "Reema", "Rhea",
        "Rohan", "Ruth", "Sahil", "Sameer", "Sara", "Shreya", "Simran", "Sneha", "Sonia", "Suresh",
        "Tanvi", "Tarun",
        "Tina", "Uday", "Varun", "Vidya", "Vikram", "Yash", "Zara", "Zubin",
    ),
    "area": (
        "Andheri", "Anna Nagar", "Aundh", "Baner", "Banjara Hills", "Behala", "Civil Lines", "Dadar",
        "Dwarka",
        "Gomti Nagar", "Hinjewadi", "Indiranagar", "Jayanagar", "Karol Bagh", "Kondapur", "Koramangala",
        "Kothrud",
        "Lajpat Nagar", "Mulund", "Mylapore", "Park Street", "Powai", "Rajouri", "Salt Lake", "Thane",
        "Velachery",
        "Vashi", "Whitefield",
    ),
    "city": (
        "Agra", "Ahmedabad", "Bengaluru", "Bhopal", "Chennai", "Delhi", "Goa", "Guwahati", "Hyderabad",
        "Indore",
        "Jaipur", "Kochi", "Kolkata", "Lucknow", "Manali", "Mumbai", "Mysuru", "Nagpur", "Patna", "Pune",
        "Shillong",
        "Surat", "Udaipur", "Varanasi",
    ),
    "month": (
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
        "November",
        "December",
    ),
    "subject": (
        "accounts", "biology", "chemistry", "coding", "design", "economics", "English", "French",
        "history", "law",
        "maths", "marketing", "physics", "psychology", "statistics", "tabla",
    ),
    "clock": tuple(f"{hour}:{minute:02d}" for hour in range(1, 13) for minute in range(5, 60, 5)),
    "few": ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    "number": tuple(str(number) for number in range(13, 98)),
    "amount": tuple(f"Rs {fifties * 50:,}" for fifties in range(5, 180)),
}
