import { expect, queryAllProperties, test } from "@odoo/hoot";
import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import { contains, defineModels, fields, models, mountView } from "@web/../tests/web_test_helpers";

const choice = (place, label) => ({
    key: `1:column:0:${place}`,
    date: "",
    label,
    details: [],
    amount: "",
    selectable: true,
});

class FileImport extends models.Model {
    _name = "file.import";

    sections = fields.Json();
    chosen = fields.Json();

    _records = [
        {
            id: 1,
            sections: [
                {
                    key: "1-column-0",
                    title: "Which order?",
                    text: "",
                    single: true,
                    count: 2,
                    rows: [choice(0, "day, month, year"), choice(1, "month, day, year")],
                },
            ],
            chosen: [],
        },
    ];
}

defineMailModels();
defineModels([FileImport]);

test("of the answers to a question about columns one is chosen", async () => {
    await mountView({
        type: "form",
        resModel: "file.import",
        resId: 1,
        arch: `
            <form>
                <field name="chosen" invisible="1" />
                <field name="sections" widget="online_transaction_choice" options="{'chosen': 'chosen'}" />
            </form>`,
    });
    expect("input[type=radio]").toHaveCount(2);
    await contains("input[type=radio]:eq(0)").click();
    await contains("input[type=radio]:eq(1)").click();
    expect(queryAllProperties("input[type=radio]", "checked")).toEqual([false, true]);
});
