-- A copy must never speak for production: no consent, no key, no page that is still open.
UPDATE bank_sync_connection
   SET state = 'disconnected', secret_state = NULL;
UPDATE bank_sync_visit
   SET state = 'cancelled', secret_data = NULL, return_url = NULL;
UPDATE bank_sync_provider_setting
   SET encrypted_value = NULL;
-- Nor may it sign as the proxy, send text messages, or accept a code of one.
UPDATE bank_sync_client
   SET secret_data = NULL, secret_phone = NULL;
DELETE FROM bank_sync_phone_code;
-- The Demo Bank reaches nobody and may stay.
UPDATE bank_sync_provider
   SET active = false
 WHERE code <> 'sandbox';
