from . import test_import_file, test_server_fields
