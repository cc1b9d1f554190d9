-- One row per text. The label is the author's own, given when writing.
SELECT
    'semeval2026-' || text_id AS row_id,
    'semeval2026-' || text_id AS reflection_id,
    user_id AS author_id,
    text,
    timestamp AS asked_at,
    CASE WHEN trim(valence) <> '' OR trim(arousal) <> '' THEN timestamp END AS labelled_at,
    valence,
    arousal,
    collection_phase,
    is_words,
    len(regexp_extract_all(text, '\S+')) AS words
FROM raw
