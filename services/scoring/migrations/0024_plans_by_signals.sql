-- Signals tell of plans and revenue now. What callers said of them before holds against older signals, as if it was said when the
-- account last changed.
UPDATE {schema}.lifecycles AS contract
   SET state = jsonb_set(contract.state, '{given}', (contract.state -> 'given')
           || CASE WHEN account.plan <> '' THEN jsonb_build_object('plan', account.updated_at) ELSE '{}' END
           || CASE WHEN COALESCE(account.arr_minor_units, account.mrr_minor_units) IS NOT NULL
                   THEN jsonb_build_object('revenue', account.updated_at) ELSE '{}' END)
  FROM {schema}.accounts AS account
 WHERE account.account_id = contract.account_id AND NOT (contract.state -> 'given') ?| ARRAY['plan', 'revenue'];
