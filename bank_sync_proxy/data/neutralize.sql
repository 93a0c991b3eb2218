-- A copy must never speak for production: no consent, no key, no page that is still open.
UPDATE bank_sync_connection
   SET state = 'disconnected', secret_state = NULL;
UPDATE bank_sync_visit
   SET state = 'cancelled', secret_data = NULL, return_url = NULL;
UPDATE bank_sync_event
   SET state = 'given_up'
 WHERE state = 'pending';
UPDATE bank_sync_provider_setting
   SET encrypted_value = NULL;
-- The Demo Bank reaches nobody and may stay.
UPDATE bank_sync_provider
   SET active = false
 WHERE code <> 'sandbox';
