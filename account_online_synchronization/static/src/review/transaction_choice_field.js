import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

import { Component, useState } from "@odoo/owl";

/** Numbers of rows of a section, and of sections, that are shown at first; a button shows more. */
const ROWS = 50;
const SECTIONS = 40;

/**
 * Bank transactions in sections, some of which can be chosen. The server provides all texts, see
 * wizards/account_missing_transaction_sections.py; the selection goes into another Json field of the record.
 *
 * A section with `single` is a question: choosing one of its rows deselects the others.
 *
 * With the option `dismiss`, each section has a button that calls this method of the record with the section's key.
 */
export class TransactionChoiceField extends Component {
    static template = "account_online_synchronization.TransactionChoiceField";
    static props = {
        ...standardFieldProps,
        chosenName: { type: String },
        dismiss: { type: String, optional: true },
    };

    setup() {
        this.orm = useService("orm");
        this.state = useState({ rows: {}, sections: SECTIONS });
    }

    get sections() {
        return this.props.record.data[this.props.name] || [];
    }

    get shownSections() {
        return this.sections.slice(0, this.state.sections);
    }

    get chosen() {
        return this.props.record.data[this.props.chosenName] || [];
    }

    get status() {
        const listed = this.sections.filter((section) => !section.single);
        if (!listed.some((section) => this.selectable(section).length)) {
            return "";
        }
        const answers = this.sections.filter((section) => section.single).flatMap((section) => section.rows);
        const count = this.chosen.filter((key) => !answers.some((row) => row.key === key)).length;
        return count === 1 ? _t("1 transaction selected") : _t("%s transactions selected", count);
    }

    id(section, row) {
        return `${this.props.id || this.props.name}_${section.key}_${row.key}`;
    }

    rows(section) {
        return section.rows.slice(0, this.state.rows[section.key] || ROWS);
    }

    selectable(section) {
        return section.rows.filter((row) => row.selectable);
    }

    isAllChosen(section) {
        return this.selectable(section).every((row) => this.chosen.includes(row.key));
    }

    notListed(section) {
        return _t("%(listed)s of %(count)s are listed. Shorten the range to see the others.", {
            listed: section.rows.length,
            count: section.count,
        });
    }

    showMore(section) {
        this.state.rows[section.key] = this.rows(section).length + 10 * ROWS;
    }

    showMoreSections() {
        this.state.sections += SECTIONS;
    }

    async choose(keys, isChosen, instead = []) {
        const chosen = new Set(this.chosen.filter((key) => !instead.includes(key)));
        for (const key of keys) {
            isChosen ? chosen.add(key) : chosen.delete(key);
        }
        await this.props.record.update({ [this.props.chosenName]: [...chosen] });
    }

    toggle(section, row, ev) {
        const others = section.single ? this.selectable(section).map((one) => one.key) : [];
        return this.choose([row.key], ev.target.checked, others);
    }

    toggleAll(section) {
        const keys = this.selectable(section).map((row) => row.key);
        return this.choose(keys, !this.isAllChosen(section));
    }

    async dismissSection(section) {
        const { resModel, resId } = this.props.record;
        await this.choose(
            section.rows.map((row) => row.key),
            false
        );
        await this.props.record.save();
        await this.orm.call(resModel, this.props.dismiss, [[resId], section.key]);
        await this.props.record.load();
    }
}

export const transactionChoiceField = {
    component: TransactionChoiceField,
    displayName: _t("Choice of Bank Transactions"),
    supportedTypes: ["json"],
    extractProps: ({ options }) => ({ chosenName: options.chosen, dismiss: options.dismiss }),
};

registry.category("fields").add("online_transaction_choice", transactionChoiceField);
