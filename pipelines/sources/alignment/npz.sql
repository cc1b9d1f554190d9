-- One row per caption. A pair is the same one in any archive: of the same words and of an image of the same name. Two may say
-- the same of one image: the second is told from the first by its number, which the first has not. A caption that is to be
-- predicted has no image; it goes by its own id, or where the file has no ids by its place.
WITH placed AS (
    SELECT *, row_number() OVER () - 1 AS place FROM raw
),
numbered AS (
    SELECT
        *,
        row_number() OVER (PARTITION BY image, trim(text) ORDER BY caption, place) AS number,
        count(id) OVER () > 0 AS with_ids,
        -- Whole numbers that became floats beside a null are written as they were.
        coalesce(CASE WHEN typeof(id) IN ('DOUBLE', 'FLOAT') AND try_cast(id AS BIGINT) = id::DOUBLE THEN try_cast(id AS BIGINT)::VARCHAR END, id::VARCHAR)
            AS given
    FROM placed
),
named AS (
    SELECT
        *,
        CASE WHEN NOT getvariable('unlabelled') THEN NULL WHEN with_ids THEN given ELSE place::VARCHAR END AS own,
        md5(concat_ws(chr(31), image, trim(text), CASE WHEN number > 1 THEN number END)) AS pair
    FROM numbered
)
SELECT
    CASE WHEN getvariable('unlabelled') THEN own ELSE 'pair-' || pair END AS row_id,
    'caption-' || CASE WHEN getvariable('unlabelled') THEN own ELSE pair END AS caption_id,
    CASE WHEN getvariable('unlabelled') THEN 'image of ' || own ELSE image END AS image_id,
    trim(text) AS text,
    text_vector,
    image_vector AS image,
    len(regexp_extract_all(text, '\S+')) AS words,
    -- Archives have no time: one instant stands for all.
    '2025-01-01T00:00:00Z' AS asked_at,
    CASE WHEN NOT getvariable('unlabelled') THEN asked_at END AS labelled_at
FROM named
ORDER BY caption, place
