-- Two roles a service: one owns its schema and migrates, the other reads and writes rows. None reads another's schema.
-- For dev and compose.yaml, run once, when the server's data folder is made. Elsewhere with passwords of your own.
REVOKE ALL ON DATABASE mainstay FROM PUBLIC;

CREATE ROLE mainstay_scoring_owner LOGIN PASSWORD 'dev-only';
CREATE ROLE mainstay_scoring LOGIN PASSWORD 'dev-only';
CREATE ROLE mainstay_surveys_owner LOGIN PASSWORD 'dev-only';
CREATE ROLE mainstay_surveys LOGIN PASSWORD 'dev-only';
CREATE ROLE mainstay_interventions_owner LOGIN PASSWORD 'dev-only';
CREATE ROLE mainstay_interventions LOGIN PASSWORD 'dev-only';
CREATE ROLE mainstay_expansion_owner LOGIN PASSWORD 'dev-only';
CREATE ROLE mainstay_expansion LOGIN PASSWORD 'dev-only';

GRANT CONNECT, CREATE ON DATABASE mainstay
  TO mainstay_scoring_owner, mainstay_surveys_owner, mainstay_interventions_owner, mainstay_expansion_owner;
GRANT CONNECT ON DATABASE mainstay
  TO mainstay_scoring, mainstay_surveys, mainstay_interventions, mainstay_expansion;
