-- A copy must not sign as the proxy, send text messages, accept a code of one, or show where customers' databases are.
UPDATE bank_sync_client
   SET secret_data = NULL, secret_phone = NULL, contact_email = NULL, url = NULL, confirmed_url = NULL;
UPDATE bank_sync_event
   SET last_error = NULL;
UPDATE mail_message
   SET body = NULL
 WHERE model IN ('bank.sync.client', 'bank.sync.connection', 'bank.sync.firm');
DELETE FROM mail_tracking_value
 USING mail_message
 WHERE mail_message.id = mail_message_id AND mail_message.model IN ('bank.sync.client', 'bank.sync.connection', 'bank.sync.firm');
UPDATE bank_sync_firm_agreement
   SET client_name = 'Client ' || id, contact_name = NULL, contact_email = NULL;
UPDATE bank_sync_firm_member
   SET digest = 'none';
DELETE FROM bank_sync_firm_letter;
DELETE FROM bank_sync_phone_code;
DELETE FROM bank_sync_registration;
DELETE FROM bank_sync_nonce;
DELETE FROM bank_sync_suspicion;
DELETE FROM bank_sync_refused_database;
UPDATE bank_sync_error
   SET address = NULL;
