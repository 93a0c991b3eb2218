import { expect, queryFirst, setInputFiles, test, waitUntil } from "@odoo/hoot";
import { animationFrame, Deferred } from "@odoo/hoot-mock";
import {
    clickSave,
    contains,
    defineModels,
    defineWebModels,
    fields,
    models,
    mountView,
    onRpc,
} from "@web/../tests/web_test_helpers";

class Setting extends models.Model {
    name = fields.Char();
    type = fields.Char();
    title = fields.Char();
    is_required = fields.Boolean();
    is_set = fields.Boolean();
    value = fields.Char();
    long_value = fields.Text();
    fault = fields.Char();
    explanation = fields.Char();

    _onChanges = { value() {} };
    _records = [
        { id: 1, name: "secret", type: "secret", title: "Secret", is_required: true, is_set: true },
        { id: 2, name: "key", type: "key", title: "Private key", is_required: true },
        { id: 3, name: "certificate", type: "certificate", title: "Certificate", is_required: true },
        { id: 4, name: "client_id", type: "text", title: "Client ID", is_required: true },
    ];
}

class Provider extends models.Model {
    setting_ids = fields.One2many({ relation: "setting" });

    _records = [{ id: 1, setting_ids: [1, 2, 3, 4] }];
}

defineWebModels();
defineModels([Setting, Provider]);

async function openForm() {
    await mountView({
        type: "form",
        resModel: "provider",
        resId: 1,
        arch: `
            <form>
                <field name="setting_ids" widget="bank_provider_keys">
                    <list editable="bottom">
                        <field name="name" />
                        <field name="type" />
                        <field name="is_required" />
                        <field name="title" />
                        <field name="value" />
                        <field name="long_value" />
                        <field name="is_set" />
                        <field name="fault" />
                        <field name="explanation" />
                    </list>
                </field>
            </form>`,
    });
    onRpc("provider", "web_save", ({ args: [, { setting_ids: commands }] }) => {
        expect.step(commands.map(([, id, values]) => [id, values]));
    });
}

test("a stored secret is not shown, and only a new one is saved", async () => {
    await openForm();
    const input = "[data-key=secret] input";
    expect(input).toHaveValue("");
    expect(input).toHaveAttribute("type", "password");
    expect(input).toHaveAttribute("placeholder", /^Entered/);
    await contains(input).edit("new secret");
    await clickSave();
    await expect.waitForSteps([[[1, { value: "new secret" }]]]);
});

test("what is typed stays while the server answers about another key", async () => {
    const answered = new Deferred();
    await openForm();
    onRpc("onchange", async () => {
        expect.step("onchange");
        await answered;
    });
    await contains("[data-key=client_id] input").edit("abc");
    await expect.waitForSteps(["onchange"]);
    await contains("[data-key=secret] input").edit("def", { confirm: false });
    answered.resolve();
    await animationFrame();
    await animationFrame();
    expect("[data-key=secret] input").toHaveValue("def");
    await contains("[data-key=client_id] input").click();
    await clickSave();
    await expect.waitForSteps(["onchange", [[4, { value: "abc" }], [1, { value: "def" }]]]);
});

test("a key file is saved with its line ends", async () => {
    const text = "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n";
    await openForm();
    await contains("[data-key=key] input[type=file]", { visible: false }).click();
    await setInputFiles([new File([text], "bank.pem")]);
    await waitUntil(() => queryFirst("[data-key=key] textarea").value === text, { timeout: 5_000 });
    await clickSave();
    await expect.waitForSteps([[[2, { long_value: text }]]]);
});

test("a certificate is chosen as a file like a key", async () => {
    const text = "-----BEGIN CERTIFICATE-----\nMIIC\n-----END CERTIFICATE-----\n";
    await openForm();
    const place = "[data-key=certificate]";
    expect(`${place} textarea`).toHaveAttribute("placeholder", "-----BEGIN CERTIFICATE-----");
    expect(`${place} label.btn`).toHaveText("Choose the Certificate File");
    await contains(`${place} textarea`).edit(text);
    await clickSave();
    await expect.waitForSteps([[[3, { long_value: text }]]]);
});
