-- One row per product: what is written of it, and the vector of its picture. The vectors lie in the order of the file's rows and
-- bear no names, so they go with these products, in this order, and no others.
WITH numbered AS (
    SELECT
        row_number() OVER () - 1 AS place,
        regexp_extract(image_path, '([^/]+)\.[a-z]+$', 1) AS product,
        trim(description, E' \t\r\n') AS description
    FROM raw
),
known AS (
    SELECT CASE
        WHEN md5(string_agg(product, ' ' ORDER BY place)) = '781065a1048dcc78fee6cf95458f31e0' THEN true
        ELSE error('the vectors of shopsphere are of other products than these, or of these in another order')
    END AS products
    FROM numbered
)
SELECT
    'shopsphere-' || product AS row_id,
    'caption-' || product AS caption_id,
    'image-' || product AS image_id,
    description AS text,
    images.vector AS image,
    -- By the model that made both; on other processors the last digits may differ.
    round(list_cosine_similarity(captions.vector, images.vector)::DOUBLE, 5) AS similarity,
    len(regexp_extract_all(description, '\S+')) AS words,
    -- Nobody says when these were written: one instant stands for all.
    '2025-01-01T00:00:00Z' AS asked_at,
    asked_at AS labelled_at
FROM numbered
JOIN images USING (place)
JOIN captions USING (place)
JOIN known ON known.products
ORDER BY place
