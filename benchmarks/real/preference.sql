-- One row per pair of answers. The files tell no time: every row was asked on the day of the drop, which the script declares.
SELECT
    file || ':' || line AS row_id,
    md5(instruction) AS instruction_id,
    instruction,
    output_1,
    output_2,
    dropped_at AS asked_at,
    CASE WHEN preference IS NOT NULL THEN dropped_at END AS labelled_at,
    CASE preference WHEN 1 THEN 'first' WHEN 2 THEN 'second' WHEN 0 THEN 'tie' WHEN 1.5 THEN 'tie' END AS preferred,
    generator_1,
    generator_2,
    dataset,
    annotator,
    price_per_example,
    time_per_example
FROM raw
