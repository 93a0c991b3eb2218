-- A copy must never speak for production: no consent, no key, no page that is still open.
UPDATE bank_sync_connection
   SET state = 'disconnected', secret_state = NULL, provider_reference = NULL;
DELETE FROM bank_sync_connection_secret;
UPDATE bank_sync_visit
   SET state = 'cancelled', secret_data = NULL, return_url = NULL, browser_digest = NULL, callback_digest = NULL;
UPDATE bank_sync_event
   SET state = 'given_up'
 WHERE state = 'pending';
-- Of the Demo Bank only what shows how far its clock is ahead.
UPDATE bank_sync_provider_setting
   SET encrypted_value = NULL;
UPDATE bank_sync_provider_setting
   SET plain_value = NULL
  FROM bank_sync_provider
 WHERE bank_sync_provider.id = provider_id AND bank_sync_provider.code <> 'sandbox';
DELETE FROM bank_sync_usage;
-- Requests and answers of failures are masked, but contain names and account numbers. The failures themselves are kept.
UPDATE bank_sync_error
   SET request = NULL, detail = NULL;
-- The Demo Bank reaches nobody and may stay.
UPDATE bank_sync_provider
   SET active = false, keys_state = NULL, keys_message = NULL, keys_tested_at = NULL
 WHERE code <> 'sandbox';
