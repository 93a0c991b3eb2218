from . import (
    bank_sync_vault,
    bank_sync_error,
    bank_sync_client,
    bank_sync_suspicion,
    bank_sync_event,
    bank_sync_provider,
    bank_sync_provider_setting,
    bank_sync_institution,
    bank_sync_connection,
    bank_sync_usage,
    bank_sync_visit,
    bank_sync_api,
)
