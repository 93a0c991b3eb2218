import { Component } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

/** Of each type that comes as a file: how the file begins. */
const FIRST_LINES = {
    key: "-----BEGIN PRIVATE KEY-----",
    tls_key: "-----BEGIN PRIVATE KEY-----",
    certificate: "-----BEGIN CERTIFICATE-----",
};

/**
 * The keys of a provider, one labelled field below the other.
 *
 * What was entered goes to the server as soon as a field is left: its rule decides whether the form is right, and the
 * answer is shown below the field. A secret that is stored never comes back, so an empty field means "as it was".
 */
export class ProviderKeysField extends Component {
    static template = "bank_sync_proxy.ProviderKeysField";
    static props = { ...standardFieldProps };

    setup() {
        // What is in a field until the server knows it. Why: the answer about one field draws all of them again, and
        // would empty the one in which the user types meanwhile.
        this.typed = {};
    }

    get keys() {
        return this.props.record.data[this.props.name].records;
    }

    id(key, part = "value") {
        return `o_bank_key_${key.resId}_${part}`;
    }

    isSecret(key) {
        return key.data.type === "secret" || this.isFile(key);
    }

    /** What comes as a file of several lines, which can be chosen or pasted. */
    isFile(key) {
        return key.data.type in FIRST_LINES;
    }

    /** Which of the two fields holds what was entered: a browser's field of one line throws line ends away. */
    fieldOf(key) {
        return this.isFile(key) ? "long_value" : "value";
    }

    entered(key) {
        return this.typed[key.id] ?? (key.data[this.fieldOf(key)] || "");
    }

    placeholder(key) {
        if (this.isSecret(key) && key.data.is_set) {
            return _t("Entered. It is not shown again; enter another one to replace it.");
        }
        return FIRST_LINES[key.data.type] || "";
    }

    type(key, text) {
        this.typed[key.id] = text;
        this.props.record.model.bus.trigger("FIELD_IS_DIRTY", true);
    }

    async enter(key, text) {
        this.typed[key.id] = text;
        await key.update({ [this.fieldOf(key)]: text });
        if (this.typed[key.id] === text) {
            delete this.typed[key.id];
        }
        this.props.record.model.bus.trigger("FIELD_IS_DIRTY", false);
    }

    async upload(key, event) {
        const [file] = event.target.files;
        if (file) {
            await this.enter(key, await file.text());
            event.target.value = "";
        }
    }
}

registry.category("fields").add("bank_provider_keys", {
    component: ProviderKeysField,
    displayName: _t("Keys of a Provider"),
    supportedTypes: ["one2many"],
    useSubView: true,
});
