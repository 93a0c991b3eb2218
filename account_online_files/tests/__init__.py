from . import test_file_source, test_import_file, test_other_company, test_real_files, test_server_fields
