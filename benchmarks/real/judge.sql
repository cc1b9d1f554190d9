-- One row per judged answer. The judge was asked with the whole conversation; of two turns, the last question and answer count.
-- Japanese questions are numbered from 1 as those of another list are: the language is part of the question's name.
SELECT
    file || ':' || line AS row_id,
    CASE WHEN file LIKE 'lmsys_japanese%' THEN 'ja-' ELSE 'en-' END || question_id AS question_id,
    trim(CASE
        WHEN user_prompt LIKE '%### Assistant A:%' THEN regexp_extract(user_prompt, '(?s).*### User:\n(.*?)\n\n### Assistant A:', 1)
        WHEN file LIKE 'lmsys_japanese%' THEN regexp_extract(user_prompt, '(?s)\[質問\]\n(.*?)\n\n\[(?:参考回答|アシスタントの回答)の開始\]', 1)
        ELSE regexp_extract(user_prompt, '(?s)\[Question\]\n(.*?)\n\n\[The Start of ', 1)
    END) AS question,
    trim(CASE
        WHEN user_prompt LIKE '%### Assistant A:%'
            THEN regexp_extract(user_prompt, '(?s).*### Assistant A:\n(.*)\n\n<\|The End of Assistant A', 1)
        WHEN file LIKE 'lmsys_japanese%'
            THEN regexp_extract(user_prompt, '(?s)\[アシスタントの回答の開始\]\n(.*)\n\[アシスタントの回答の終了\]', 1)
        ELSE regexp_extract(user_prompt, '(?s)\[The Start of Assistant''s Answer\]\n(.*)\n\[The End of Assistant''s Answer\]', 1)
    END) AS answer,
    strftime(make_timestamp(CAST(tstamp * 1e6 AS BIGINT)), '%Y-%m-%dT%H:%M:%S.%fZ') AS asked_at,
    asked_at AS labelled_at,
    score,
    question_id AS asked_id,
    model,
    turn,
    judge[2] AS asked_how,
    judgment
FROM raw
