import { registry } from "@web/core/registry";
import { _t } from "@web/core/l10n/translation";
import { listView } from "@web/views/list/list_view";
import { ListController } from "@web/views/list/list_controller";
import { AccountFileUploader } from "@account/components/account_file_uploader/account_file_uploader";
import { FileUploadListRenderer } from "@account/views/file_upload_list/file_upload_list_renderer";

/** Sends chosen or dropped files to the preview, for the journal of the list if there is one. */
export class StatementFileUploader extends AccountFileUploader {
    getExtraContext() {
        return { ...super.getExtraContext(), online_statement_files: true };
    }
}

export class StatementFileListController extends ListController {
    static components = { ...ListController.components, StatementFileUploader };
}

// Odoo's own list for dropping files; its texts speak of bills.
export class StatementFileListRenderer extends FileUploadListRenderer {
    setup() {
        super.setup();
        this.dropZoneTitle = _t("Drop statement files from your bank here.");
        this.dropZoneDescription = _t("You see what they contain before anything is imported.");
    }

    // Why: pasted text is not a statement file, and Odoo would search it for bills.
    onPaste() {}
}

registry.category("views").add("online_statement_file_list", {
    ...listView,
    Controller: StatementFileListController,
    Renderer: StatementFileListRenderer,
    buttonTemplate: "account_online_files.StatementFileList.Buttons",
});
