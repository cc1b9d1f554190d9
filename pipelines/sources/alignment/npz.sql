-- One row per caption. A pair is the same one in any archive: of the same words and of an image of the same name. Two may say
-- the same of one image: the second is told from the first by its number, which the first has not.
WITH numbered AS (
    SELECT *, row_number() OVER (PARTITION BY image, trim(text) ORDER BY caption) AS number FROM raw
),
named AS (
    SELECT *, md5(concat_ws(chr(31), image, trim(text), CASE WHEN number > 1 THEN number END)) AS pair FROM numbered
)
SELECT
    'pair-' || pair AS row_id,
    'caption-' || pair AS caption_id,
    image AS image_id,
    trim(text) AS text,
    text_vector,
    image_vector AS image,
    len(regexp_extract_all(text, '\S+')) AS words,
    -- Archives have no time: one instant stands for all.
    '2025-01-01T00:00:00Z' AS asked_at,
    asked_at AS labelled_at
FROM named
ORDER BY caption
