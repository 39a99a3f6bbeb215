-- The contacts who are champions, so that scoring an account does not read all of its contacts.
ALTER TABLE {schema}.accounts ADD COLUMN champions jsonb NOT NULL
    GENERATED ALWAYS AS (jsonb_path_query_array(contacts, '$[*] ? (@.champion == true)')) STORED;

-- Further kinds of conditions: 9 usage decline, 10 login drop, 11 feature not adopted, 12 champion silent, 13 renewal at risk.
COMMENT ON COLUMN {schema}.risk_triggers.subject IS
    'The invoice, dispute, ticket or contact; empty for the account as a whole.';
