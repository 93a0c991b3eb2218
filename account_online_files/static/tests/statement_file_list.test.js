import {
    animationFrame,
    expect,
    manuallyDispatchProgrammaticEvent,
    queryOne,
    setInputFiles,
    test,
    waitFor,
    waitForNone,
} from "@odoo/hoot";
import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import { contains, defineModels, fields, mockService, models, mountView, onRpc } from "@web/../tests/web_test_helpers";

class BankTransaction extends models.Model {
    _name = "bank.transaction";

    name = fields.Char();

    _records = [{ id: 1, name: "Coffee" }];
}

defineMailModels();
defineModels([BankTransaction]);

async function openList() {
    await mountView({
        type: "list",
        resModel: "bank.transaction",
        arch: `<list js_class="online_statement_file_list"><field name="name" /></list>`,
        context: { default_journal_id: 7 },
    });
}

function expectUpload() {
    onRpc("ir.attachment", "create", ({ args: [[values]] }) => {
        expect.step(`upload ${values.name}`);
        return [31];
    });
    onRpc("account.journal", "create_document_from_attachment", ({ args: [, ids], kwargs: { context } }) => {
        expect.step(`read ${ids} of ${context.default_journal_id} ${context.online_statement_files}`);
        return { type: "ir.actions.act_window", res_model: "account.online.file.import" };
    });
    mockService("action", { doAction: (action) => expect.step(`open ${action.res_model}`) });
}

function drag(type) {
    const transfer = new DataTransfer();
    transfer.items.add(new File(["statement"], "may.sta", { type: "text/plain" }));
    return manuallyDispatchProgrammaticEvent(queryOne(type === "drop" ? ".o_drop_area" : ".o_list_renderer"), type, {
        dataTransfer: transfer,
    });
}

test("a chosen file is read for the journal of the list, and its preview opens", async () => {
    expectUpload();
    await openList();
    expect(".o_button_import_statement_file").toHaveText("Import File");
    await contains(".o_button_import_statement_file").click();
    await setInputFiles([new File(["statement"], "may.sta", { type: "text/plain" })]);
    await expect.waitForSteps(["upload may.sta", "read 31 of 7 true", "open account.online.file.import"]);
});

test("a file that is dragged over the list may be dropped, and is read like a chosen one", async () => {
    expectUpload();
    await openList();
    expect(".o_drop_area").toHaveCount(0);
    await drag("dragenter");
    await waitFor(".o_drop_area");
    expect(".o_drop_area h2").toHaveText("Drop statement files from your bank here.");
    await drag("drop");
    await expect.waitForSteps(["upload may.sta", "read 31 of 7 true", "open account.online.file.import"]);
    await waitForNone(".o_drop_area");
});

test("a pasted text is no file", async () => {
    expectUpload();
    await openList();
    const clipboardData = new DataTransfer();
    clipboardData.items.add(new File(["statement"], "may.sta", { type: "text/plain" }));
    await manuallyDispatchProgrammaticEvent(queryOne(".o_list_renderer"), "paste", { clipboardData });
    await animationFrame();
    expect.verifySteps([]);
});
