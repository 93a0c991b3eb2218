-- A copy must never speak for production: no consent, no key, no page that is still open.
UPDATE bank_sync_connection
   SET state = 'disconnected', secret_state = NULL, provider_reference = NULL;
UPDATE bank_sync_visit
   SET state = 'cancelled', secret_data = NULL, return_url = NULL, browser_digest = NULL, callback_digest = NULL;
UPDATE bank_sync_event
   SET state = 'given_up'
 WHERE state = 'pending';
UPDATE bank_sync_event
   SET last_error = NULL;
-- Of the Demo Bank only what shows how far its clock is ahead.
UPDATE bank_sync_provider_setting
   SET encrypted_value = NULL;
UPDATE bank_sync_provider_setting
   SET plain_value = NULL
  FROM bank_sync_provider
 WHERE bank_sync_provider.id = provider_id AND bank_sync_provider.code <> 'sandbox';
-- Nor may it sign as the proxy, send text messages, accept a code of one, or show where customers' databases are.
UPDATE bank_sync_client
   SET secret_data = NULL, secret_phone = NULL, contact_email = NULL, url = NULL, confirmed_url = NULL;
UPDATE mail_message
   SET body = NULL
 WHERE model IN ('bank.sync.client', 'bank.sync.connection');
DELETE FROM mail_tracking_value
 USING mail_message
 WHERE mail_message.id = mail_message_id AND mail_message.model IN ('bank.sync.client', 'bank.sync.connection');
DELETE FROM bank_sync_phone_code;
DELETE FROM bank_sync_registration;
DELETE FROM bank_sync_nonce;
DELETE FROM bank_sync_suspicion;
DELETE FROM bank_sync_usage;
-- What was asked and answered when something failed, masked, but with names and account numbers. That it failed stays.
UPDATE bank_sync_error
   SET request = NULL, detail = NULL, address = NULL;
-- The Demo Bank reaches nobody and may stay.
UPDATE bank_sync_provider
   SET active = false, keys_message = NULL
 WHERE code <> 'sandbox';
