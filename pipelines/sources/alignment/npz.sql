-- One row per caption. A pair is the same one in any archive: of the same words and of an image of the same name.
SELECT
    'pair-' || md5(concat_ws(chr(31), image, trim(text))) AS row_id,
    'caption-' || md5(concat_ws(chr(31), image, trim(text))) AS caption_id,
    image AS image_id,
    trim(text) AS text,
    text_vector,
    image_vector AS image,
    len(regexp_extract_all(text, '\S+')) AS words,
    -- Archives have no time: one instant stands for all.
    '2025-01-01T00:00:00Z' AS asked_at,
    asked_at AS labelled_at
FROM raw
ORDER BY caption
