import { Component, onWillUpdateProps, useState } from "@odoo/owl";

/** Initials of the first two words: “KBC Brussels” is KB, “Argenta” is A. */
function initialsOf(name) {
    const words = name.match(/[\p{L}\p{N}]+/gu) || ["?"];
    return words
        .slice(0, 2)
        .map((word) => [...word][0].toLocaleUpperCase())
        .join("");
}

/** The logo of a bank; initials if there is none or it can't be loaded. It is hidden from screen readers. */
export class BankLogo extends Component {
    static template = "account_online_synchronization.BankLogo";
    static props = {
        name: String,
        logo: { type: String, optional: true },
        size: { type: Number, optional: true },
    };
    static defaultProps = { size: 40 };

    setup() {
        this.state = useState({ isBroken: false });
        onWillUpdateProps((next) => {
            if (next.logo !== this.props.logo) {
                this.state.isBroken = false;
            }
        });
    }

    get initials() {
        return initialsOf(this.props.name);
    }
}
