-- A copy must never speak for production: no link works, nothing is fetched, and nothing identifies the consent.
UPDATE account_online_link
   SET state = 'disconnected', auto_sync = false, connection_identifier = NULL, next_refresh = NULL,
       legacy_reference = NULL, renewal_contact_email = NULL;
UPDATE account_online_account
   SET sync_cursor = NULL;
UPDATE account_online_run
   SET state = 'interrupted' WHERE state IN ('planned', 'running');
DELETE FROM account_online_authorization;
UPDATE account_online_renewal
   SET state = 'revoked', email = NULL, key_digest = NULL WHERE state IN ('draft', 'sent');
-- What banks have answered, word for word. What became of it, lines and parked transactions, is part of the books.
DELETE FROM ir_attachment
 WHERE res_model = 'account.online.run' AND res_field = 'raw_answers';
DELETE FROM account_missing_transaction_page;
-- No connection service is asked, and none would know who asks.
UPDATE account_online_service
   SET url = NULL, client_identifier = NULL, secret_data = NULL, registered_with = NULL, registered_url = NULL,
       state = NULL, blocked_by = NULL, reason = NULL, phone_hint = NULL;
DELETE FROM account_online_event;
DELETE FROM account_online_phone;
