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
        count(id) OVER () > 0 AS with_ids
    FROM placed
),
named AS (
    SELECT
        *,
        CASE WHEN with_ids THEN id::VARCHAR ELSE place::VARCHAR END AS own,
        CASE
            WHEN image IS NOT NULL THEN md5(concat_ws(chr(31), image, trim(text), CASE WHEN number > 1 THEN number END))
        END AS pair
    FROM numbered
)
SELECT
    coalesce('pair-' || pair, own) AS row_id,
    'caption-' || coalesce(pair, own) AS caption_id,
    coalesce(image, 'image of ' || own) AS image_id,
    trim(text) AS text,
    text_vector,
    image_vector AS image,
    len(regexp_extract_all(text, '\S+')) AS words,
    -- Archives have no time: one instant stands for all.
    '2025-01-01T00:00:00Z' AS asked_at,
    CASE WHEN image IS NOT NULL THEN asked_at END AS labelled_at
FROM named
ORDER BY caption, place
