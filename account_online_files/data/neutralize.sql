-- A copy must never sign in for production, nor import what production imports.
UPDATE account_online_file_source
   SET active = false, secret_data = NULL, host_key = NULL, offered_host_key = NULL;
