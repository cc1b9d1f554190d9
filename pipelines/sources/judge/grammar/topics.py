"""What prompts are about: by language, topics with the seven things that a text of that topic speaks of."""

from __future__ import annotations

from dataclasses import dataclass

TABLES = {
    "en": """
bread baking: sourdough starter, oven heat, crumb texture, rye flour, proofing time, dough hydration, crust colour
beekeeping: queen cells, hive frames, varroa mites, nectar flow, winter cluster, smoker fuel, brood pattern
bicycle repair: chain wear, brake pads, spoke tension, tyre pressure, derailleur hangers, wheel bearings, cable housing
home brewing: malt bill, hop additions, yeast strain, mash temperature, bottle carbonation, fermentation lock, wort gravity
chess openings: pawn structure, king safety, bishop pair, gambit lines, central squares, tempo loss, castling side
stargazing: meridian transits, eyepiece focal length, light pollution, star charts, nebula filters, finder scopes, dew heaters
marathon training: long runs, tempo intervals, glycogen stores, race pace, rest weeks, shoe rotation, hip strength
retirement savings: index funds, bond ladders, withdrawal rates, tax wrappers, inflation risk, employer match, annuity quotes
mortgage contracts: fixed interest, down payment, amortisation tables, closing fees, refinancing, credit history, escrow accounts
tenant law: security deposits, notice periods, rent increases, repair duties, sublet permits, eviction notices, inventory lists
tomato growing: leaf suckers, blossom end rot, trellis string, soil calcium, seedling trays, drip watering, fruit set
composting: carbon balance, worm bins, pile temperature, kitchen scraps, leaf mould, turning schedule, odour control
dog training: recall games, leash tension, reward timing, crate habits, puppy biting, clicker sounds, distraction levels
cat health: hairball paste, litter habits, kidney values, dental plaque, booster vaccines, wet food, weight charts
jazz piano: chord voicings, walking bass, swing feel, blues scales, modal vamps, comping rhythms, lead sheets
choir singing: breath support, vowel blending, sight reading, vocal warm-ups, alto lines, phrasing marks, rehearsal pacing
oil painting: linseed medium, glaze layers, canvas primer, brush cleaning, colour mixing, drying time, underpainting tones
portrait photography: catch lights, shutter speed, lens compression, softbox angles, skin tones, background blur, pose direction
pottery wheels: clay centring, kiln cones, glaze drips, trimming tools, wall thickness, bisque firing, wedging rhythm
woodworking joints: dovetail angles, mortise depth, glue clamps, grain direction, chisel bevels, dowel pins, plane shavings
python programming: list comprehensions, type hints, virtual environments, unit tests, generators, dictionaries, tracebacks
database design: foreign keys, query plans, index scans, normal forms, row locks, schema migrations, join order
web security: session cookies, password hashing, request forgery, input escaping, certificate chains, rate limits, access tokens
machine learning: training loss, validation folds, gradient steps, feature scaling, class imbalance, weight decay, learning curves
spreadsheet budgeting: pivot tables, monthly categories, cell formats, subtotals, lookups, chart axes, cell protection
job interviews: salary ranges, behavioural questions, thank-you notes, references, work samples, strength stories, panel formats
team meetings: agenda slots, action items, speaking turns, decision logs, meeting minutes, stand-up rounds, remote attendees
public speaking: stage fright, opening hooks, slide contrast, pause lengths, eye contact, microphone distance, audience questions
wedding planning: guest lists, seating charts, catering quotes, vow drafts, venue deposits, band setlists, floral budgets
sleep habits: blue light, bedtime rituals, caffeine cut-off, room darkness, nap length, circadian rhythm, mattress firmness
knee rehabilitation: quad strength, swelling control, range of motion, step-downs, brace fit, stair training, pain scales
diabetes care: insulin doses, glucose meters, carbohydrate counts, foot checks, sick-day rules, fasting values, hypo symptoms
vaccination schedules: booster intervals, live vaccines, cold storage, injection sites, late doses, immunity, travel clinics
infant nutrition: formula ratios, allergen introduction, feeding cues, iron drops, spoon purees, milk storage, burping breaks
school bullying: bystander roles, teacher reports, playground watch, peer mentors, online insults, class contracts, parent talks
exam revision: flash cards, spaced repetition, past papers, mock tests, topic summaries, study groups, marking schemes
essay writing: thesis statements, topic sentences, citation styles, draft revisions, counterarguments, paragraphs, closing lines
french history: estates general, bastille prisoners, jacobin clubs, harvest failures, royal debts, paris salons, napoleonic codes
roman architecture: barrel vaults, concrete mixes, aqueduct slopes, triumphal arches, temple columns, bath heating, amphitheatres
plate tectonics: subduction zones, mantle plumes, fault lines, mid-ocean ridges, crust density, volcanic arcs, seismic waves
photosynthesis: chlorophyll pigments, light reactions, calvin cycle, stomata opening, carbon fixation, thylakoids, oxygen release
black holes: event horizons, accretion discs, gravitational lensing, spin measurements, collapse, hawking radiation, tidal forces
electric cars: battery cells, charging curves, motor torque, range estimates, regenerative braking, cable standards, heat pumps
solar panels: roof pitch, inverter sizing, feed-in tariffs, shade losses, panel degradation, mounting rails, storage batteries
house insulation: thermal bridges, vapour barriers, attic wool, window glazing, draught sealing, wall cavities, blower tests
plumbing leaks: pipe joints, shut-off valves, water hammer, thread tape, drain traps, pressure regulators, copper solder
coastal sailing: tide tables, reefing lines, anchor scope, leeward shores, sail trim, radio calls, harbour lights
mountain hiking: trail markers, altitude sickness, layered clothing, water filters, contour lines, plasters, storm shelters
scuba diving: buoyancy control, nitrogen limits, regulator checks, decompression stops, buddy signals, wetsuits, ear pressure
train travel: seat reservations, night sleepers, rail passes, platform changes, luggage racks, delay refunds, scenic routes
japanese cooking: dashi stock, miso paste, rice vinegar, knife cuts, tempura batter, seaweed sheets, pickled ginger
cheese making: rennet drops, curd cutting, brine baths, cave humidity, mould cultures, whey draining, rind washing
wine tasting: tannin grip, oak ageing, vintage charts, grape varieties, serving temperature, glass shapes, cellar notes
knitting patterns: cast-on edges, yarn weight, gauge swatches, cable needles, sleeve decreases, lace charts, blocking wires
volunteer fire service: hose couplings, breathing apparatus, turnout gear, hydrant maps, ladder drills, ropes, pump pressure
election systems: proportional seats, district borders, ballot design, runoff rounds, voter turnout, coalitions, absentee votes
supply chains: safety stock, freight rates, lead times, supplier audits, port congestion, demand forecasts, pallet tracking
customer service: refund rules, ticket queues, complaint scripts, reply times, surveys, escalation paths, loyalty credits
podcast production: microphone gain, episode outlines, room echo, guest releases, jingle rights, audio editing, show notes
river ecology: spawning gravel, algae blooms, bank erosion, otter tracks, dissolved oxygen, beaver dams, floodplain meadows
bird watching: plumage marks, migration routes, nest boxes, song recordings, field guides, spotting scopes, wetland hides
crossword design: grid symmetry, cryptic clues, anagram markers, theme entries, crossing letters, obscure words, editor queries
""",
    "de": """
Brotbacken: Sauerteig, Ofenhitze, Krume, Roggenmehl, Gehzeit, Teigführung, Kruste
Imkerei: Weiselzellen, Waben, Varroamilben, Nektartracht, Wintertraube, Rauchgerät, Brutnest
Fahrradreparatur: Kettenverschleiß, Bremsbeläge, Speichenspannung, Reifendruck, Schaltauge, Radlager, Bremszüge
Schacheröffnungen: Bauernstruktur, Königssicherheit, Läuferpaar, Gambitvarianten, Zentrumsfelder, Tempoverlust, Rochade
Sternbeobachtung: Okulare, Lichtverschmutzung, Sternkarten, Nebelfilter, Sucherfernrohr, Taukappen, Montierung
Marathontraining: lange Läufe, Tempointervalle, Glykogenspeicher, Renntempo, Ruhewochen, Laufschuhe, Hüftkraft
Altersvorsorge: Indexfonds, Anleihen, Entnahmerate, Steuervorteile, Inflationsrisiko, Betriebsrente, Rentenpunkte
Mietrecht: Kaution, Kündigungsfrist, Mieterhöhung, Reparaturpflicht, Untermiete, Räumungsklage, Übergabeprotokoll
Tomatenanbau: Geiztriebe, Blütenendfäule, Rankschnüre, Kalkgehalt, Anzuchtschalen, Tropfbewässerung, Fruchtansatz
Kompostierung: Kohlenstoff, Wurmkiste, Rottetemperatur, Küchenabfälle, Laubkompost, Umsetzen, Geruch
Hundeerziehung: Rückruf, Leinenführung, Belohnung, Hundebox, Welpenbisse, Klickertraining, Ablenkung
Chorgesang: Atemstütze, Vokalausgleich, Blattsingen, Einsingen, Altstimmen, Phrasierung, Probenplan
Ölmalerei: Leinöl, Lasuren, Grundierung, Pinselreinigung, Farbmischung, Trockenzeit, Untermalung
Holzverbindungen: Schwalbenschwanz, Zapfenloch, Leimzwingen, Faserrichtung, Stechbeitel, Holzdübel, Hobelspäne
Datenbankentwurf: Fremdschlüssel, Abfragepläne, Indexsuche, Normalformen, Zeilensperren, Migrationen, Verbundreihenfolge
Bewerbungsgespräche: Gehaltswunsch, Verhaltensfragen, Dankschreiben, Referenzen, Arbeitsproben, Stärken, Gesprächsrunde
Schlafgewohnheiten: Blaulicht, Abendrituale, Koffein, Dunkelheit, Mittagsschlaf, Biorhythmus, Matratze
Kniegymnastik: Oberschenkelkraft, Schwellung, Beweglichkeit, Treppensteigen, Kniebandage, Belastung, Schmerzskala
Prüfungsvorbereitung: Karteikarten, Wiederholung, Altklausuren, Probeprüfung, Zusammenfassungen, Lerngruppe, Punkteschema
Plattentektonik: Subduktion, Erdmantel, Verwerfungen, Meeresrücken, Krustendichte, Vulkanbögen, Erdbebenwellen
Elektroautos: Batteriezellen, Ladekurve, Drehmoment, Reichweite, Rekuperation, Ladestecker, Wärmepumpe
Dämmung: Wärmebrücken, Dampfsperre, Dachboden, Verglasung, Zugluft, Hohlwände, Luftdichtheit
Bergwandern: Wegzeichen, Höhenkrankheit, Schichtkleidung, Wasserfilter, Höhenlinien, Blasenpflaster, Schutzhütten
Wahlrecht: Verhältniswahl, Wahlkreise, Stimmzettel, Stichwahl, Wahlbeteiligung, Koalition, Briefwahl
""",
    "es": """
panadería casera: masa madre, calor del horno, miga, harina de centeno, fermentación, hidratación, corteza
apicultura: celdas reales, panales, varroa, néctar, racimo invernal, ahumador, cría
reparación de bicicletas: cadena, pastillas de freno, radios, presión de neumáticos, cambio trasero, rodamientos, cables
aperturas de ajedrez: estructura de peones, rey seguro, pareja de alfiles, gambitos, casillas centrales, tiempos perdidos, enroque
astronomía aficionada: oculares, contaminación lumínica, cartas estelares, filtros de nebulosas, buscador, rocío, montura
entrenamiento de maratón: tiradas largas, series, glucógeno, ritmo de carrera, semanas de descanso, zapatillas, fuerza de cadera
ahorro para la jubilación: fondos indexados, bonos, retirada, ventajas fiscales, inflación, aportes de empresa, rentas vitalicias
derecho de alquiler: fianza, plazo de preaviso, subida de renta, reparaciones, subarriendo, desahucio, inventario
cultivo de tomates: chupones, podredumbre apical, tutores, calcio, semilleros, riego por goteo, cuajado
compostaje: carbono, lombrices, temperatura de la pila, restos de cocina, hojarasca, volteo, olores
adiestramiento canino: llamada, correa, recompensas, transportín, mordiscos de cachorro, clicker, distracciones
guitarra flamenca: rasgueos, compás, cejilla, falsetas, palmas, picado, afinación
pintura al óleo: aceite de linaza, veladuras, imprimación, limpieza de pinceles, mezclas de color, secado, bocetos
carpintería: cola de milano, espigas, sargentos, veta, formones, tarugos, virutas
bases de datos: claves foráneas, planes de consulta, índices, formas normales, bloqueos, migraciones, uniones
entrevistas de trabajo: sueldo, preguntas de conducta, carta de agradecimiento, referencias, portafolio, fortalezas, panel
hábitos de sueño: luz azul, rutina nocturna, cafeína, oscuridad, siestas, ritmo circadiano, colchón
cuidado de la diabetes: insulina, glucómetro, carbohidratos, pies, ayuno, hipoglucemia, revisiones
preparación de exámenes: fichas, repaso espaciado, exámenes antiguos, simulacros, resúmenes, grupo de estudio, puntuación
volcanes: subducción, cámara magmática, fallas, dorsales, densidad, arcos volcánicos, ondas sísmicas
coches eléctricos: celdas, curva de carga, par motor, autonomía, frenada regenerativa, enchufes, bomba de calor
placas solares: inclinación del tejado, inversor, tarifas, sombras, degradación, soportes, baterías
senderismo de montaña: señales, mal de altura, capas de ropa, filtros de agua, curvas de nivel, ampollas, refugios
sistemas electorales: escaños, distritos, papeletas, segunda vuelta, participación, coaliciones, voto por correo
""",
    "hi-Latn": """
roti banana: gehun ka aata, tawe ki aanch, loi ka size, paani ki matra, belan, ghee, gundhne ka samay
madhumakkhi palan: rani makkhi, chhatte, keede, phoolon ka ras, sardi ka jhund, dhuan, ande
cycle ki marammat: chain, brake pad, tili, tyre ki hawa, gear, bearing, cable
cricket ballebaazi: footwork, cover drive, swing gend, crease, pull shot, net practice, strike rate
taare dekhna: doorbeen, sheher ki roshni, taaron ka naksha, filter, lens, os, stand
marathon ki taiyari: lambi daud, interval, urja, race ki gati, aaram ke din, joote, kamar ki taakat
retirement ki bachat: mutual fund, bond, nikasi, tax chhoot, mehngai, provident fund, pension
kirayedari kanoon: security deposit, notice, kiraya badhna, marammat, sublet, bedakhali, samaan ki suchi
tamatar ugana: shakhayein, phal ki sadan, sahara, calcium, paudh, drip sinchai, phal lagna
khaad banana: sookhe patte, kenchue, dher ki garmi, rasoi ka kachra, geelapan, palatna, badboo
kutte ki training: bulana, patta, inaam, pinjra, kaatna, clicker, dhyan bhatakna
sitar seekhna: raag, taal, meend, jhala, alaap, mizrab, riyaaz
tel chitrakari: alsi ka tel, parat, canvas, brush ki safai, rang milana, sookhna, rekhachitra
lakdi ka kaam: jod, chhed, gond, resha, chheni, keel, randa
database design: foreign key, query plan, index, normal form, lock, migration, join
naukri ka interview: salary, sawaal jawab, dhanyavaad mail, reference, portfolio, khoobiyan, panel
neend ki aadat: mobile ki roshni, raat ki dincharya, chai coffee, andhera, jhapki, body clock, gadda
sugar ki dekhbhal: insulin, glucose meter, carbohydrate, pairon ki jaanch, upvaas, sugar girna, checkup
pariksha ki taiyari: flash card, dohraana, purane paper, mock test, saransh, study group, marking scheme
monsoon: badal, hawa ka dabaav, samudri garmi, baarish ka anumaan, baadh, bijli girna, nami
electric scooter: battery, charging, motor, range, brake, plug, subsidy
solar panel: chhat ka dhalaan, inverter, bijli ka bill, chhaya, dhool, frame, net metering
pahadi trekking: raaste ke nishaan, oonchai ki bimari, garam kapde, paani ka filter, naksha, chhale, tent
chunaav pranali: seat, kshetra, matpatra, doosra daur, matdaan, gathbandhan, postal vote
""",
}


@dataclass(frozen=True)
class Topic:
    """A topic's ``name`` and the ``terms`` that belong to it, both as they stand in a text of its language."""

    name: str
    terms: tuple[str, ...]


def _topics(table: str) -> tuple[Topic, ...]:
    parts = (line.split(": ", 1) for line in table.strip().splitlines())
    return tuple(Topic(name, tuple(terms.split(", "))) for name, terms in parts)


TOPICS = {language: _topics(table) for language, table in TABLES.items()}
