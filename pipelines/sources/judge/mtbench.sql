-- One row per judged answer. The judge was asked with the whole conversation; of two turns, the last question and answer count.
-- What the judge wrote holds the score: no column of it stays.
WITH judged AS (
    SELECT
        *,
        starts_with(user_prompt, '[指示]') AS japanese,
        contains(user_prompt, '### Assistant A:') AS conversation,
        CAST(round(tstamp * 1e6) AS BIGINT) AS microseconds
    FROM raw
    WHERE score <> -1  -- No score was found in what the judge wrote.
),
parsed AS (
    SELECT
        *,
        CASE WHEN japanese THEN 'ja' ELSE 'en' END AS language,
        -- The Japanese questions 1 to 80 are the English ones 81 to 160 said in Japanese, some with other names in them, in
        -- the same order within a category; the categories come in the order of the alphabet.
        CASE WHEN japanese
            THEN [121, 131, 151, 111, 101, 91, 141, 81][(CAST(question_id AS INTEGER) - 1) // 10 + 1]
                + (CAST(question_id AS INTEGER) - 1) % 10
            ELSE CAST(question_id AS INTEGER)
        END AS english_id,
        trim(CASE
            WHEN conversation THEN regexp_extract(user_prompt, '(?s).*### User:\n(.*?)\n\n### Assistant A:', 1)
            WHEN japanese
                THEN regexp_extract(user_prompt, '(?s)\[質問\]\n(.*?)\n\n\[(?:参考回答|アシスタントの回答)の開始\]', 1)
            ELSE regexp_extract(user_prompt, '(?s)\[Question\]\n(.*?)\n\n\[The Start of ', 1)
        END) AS question,
        trim(CASE
            WHEN conversation
                THEN regexp_extract(user_prompt, '(?s).*### Assistant A:\n(.*)\n\n<\|The End of Assistant A', 1)
            WHEN japanese
                THEN regexp_extract(user_prompt, '(?s)\[アシスタントの回答の開始\]\n(.*)\n\[アシスタントの回答の終了\]', 1)
            ELSE regexp_extract(user_prompt, '(?s)\[The Start of Assistant''s Answer\]\n(.*)\n\[The End of Assistant''s Answer\]', 1)
        END) AS answer
    FROM judged
)
SELECT
    -- A judgment is the same one in any file: who judged what of whom, when. Were it told with two scores, ingest would refuse it.
    'mtbench-' || md5(concat_ws(chr(31), language, english_id, model, turn, judge[1], judge[2], user_prompt, microseconds)) AS row_id,
    'question-' || english_id AS question_id,
    'prompt-' || md5(concat_ws(chr(31), language, english_id, turn, question)) AS prompt_id,
    'response-' || md5(concat_ws(chr(31), language, english_id, turn, question, answer)) AS response_id,
    category AS metric_id,
    model AS model_id,
    CAST(NULL AS VARCHAR) AS system_prompt,
    question AS user_prompt,
    answer AS response,
    'category/' || category AS metric_name,
    strftime(make_timestamp(microseconds), '%Y-%m-%dT%H:%M:%S.%fZ') AS asked_at,
    asked_at AS labelled_at,
    score,
    CAST(CAST(floor(score) AS INTEGER) AS VARCHAR) AS grade,
    language,
    category AS metric_family,
    -- Where no blanks stand between words, each sign is one.
    len(regexp_extract_all(answer, '[\p{Han}\p{Hiragana}\p{Katakana}]|[^\s\p{Han}\p{Hiragana}\p{Katakana}]+')) AS words,
    turn
FROM parsed
LEFT JOIN questions ON questions.question_id = parsed.english_id
ORDER BY asked_at, row_id
