import { expect, queryAllTexts, test, waitFor } from "@odoo/hoot";
import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import { contains, defineModels, fields, models, mountView } from "@web/../tests/web_test_helpers";

class Journal extends models.Model {
    name = fields.Char();

    _records = [
        { id: 1, name: "Bank" },
        { id: 2, name: "Savings" },
    ];
}

class Line extends models.Model {
    name = fields.Char();
    account_number = fields.Char();
    account_type = fields.Char();
    balance = fields.Float();
    currency_id = fields.Many2one({ relation: "res.currency" });
    action = fields.Selection({
        selection: [
            ["existing", "Existing journal"],
            ["create", "New journal"],
            ["none", "Do not synchronize"],
        ],
    });
    journal_id = fields.Many2one({ relation: "journal", string: "Journal" });
    journal_name = fields.Char({ string: "Name" });
    journal_type = fields.Char({ string: "Type" });
    start_date = fields.Date({ string: "Start date" });
    start_reason = fields.Char();
    note = fields.Char();
    problem = fields.Char();

    _records = [
        { id: 1, name: "A1", action: "existing", journal_id: 1 },
        { id: 2, name: "A2", action: "existing", journal_id: 2 },
        { id: 3, name: "A3", action: "create", journal_name: "Pounds" },
    ];
}

class Choice extends models.Model {
    line_ids = fields.One2many({ relation: "line" });

    _records = [{ id: 1, line_ids: [1, 2, 3] }];
}

defineMailModels();
defineModels([Journal, Line, Choice]);

const card = (position) => `.o_online_account_choices section:nth-child(${position})`;

async function openForm() {
    await mountView({
        type: "form",
        resModel: "choice",
        resId: 1,
        arch: `
            <form>
                <field name="line_ids" widget="online_account_choice">
                    <list editable="bottom">
                        <field name="name" />
                        <field name="account_number" />
                        <field name="account_type" />
                        <field name="currency_id" />
                        <field name="balance" />
                        <field name="action" />
                        <field name="journal_id" invisible="action != 'existing'" />
                        <field name="journal_name" invisible="action != 'create'" />
                        <field name="journal_type" invisible="action != 'create'" />
                        <field name="start_date" invisible="action == 'none'" />
                        <field name="start_reason" />
                        <field name="note" />
                        <field name="problem" />
                    </list>
                </field>
            </form>`,
    });
}

test("each card asks what its action needs, ready for input", async () => {
    await openForm();
    expect(queryAllTexts(`${card(1)} label`)).toEqual(["Action", "Journal", "Start date"]);
    expect(queryAllTexts(`${card(3)} label`)).toEqual(["Action", "Name", "Type", "Start date"]);
    expect(`${card(3)} [name=journal_name] input`).toHaveValue("Pounds");
});

test("a journal chosen for two accounts is a problem of both, before anything is saved", async () => {
    await openForm();
    expect(".text-danger").toHaveCount(0);
    await contains(`${card(2)} [name=journal_id] input`).click();
    await contains(".o-autocomplete--dropdown-item:contains(Bank)").click();
    await waitFor(`${card(2)} .text-danger`, { timeout: 5_000 });
    const problem = "Another account is linked to this journal, too. Only one account can fill a journal.";
    expect(queryAllTexts(".text-danger")).toEqual([problem, problem]);
    expect(`${card(3)} .text-danger`).toHaveCount(0);
});
