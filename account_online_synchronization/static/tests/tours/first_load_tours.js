import { rpc } from "@web/core/network/rpc";
import { registry } from "@web/core/registry";

const CARDS = ".o_online_account_choices section";
const SCREEN = ".o_online_first_load";

/** The card of an account, by its name. */
const card = (name) => `${CARDS}:has(h2:contains(${name}))`;

registry.category("web_tour.tours").add("online_choose_accounts", {
    steps: () => [
        {
            content: "an existing journal is proposed, with the reason",
            trigger: `${card("Account A1")}:contains(The journal has this account's number.)`,
        },
        {
            content: "a currency that does not fit is explained",
            trigger: `${card("Account A2")}:contains(so a new journal is proposed)`,
        },
        {
            content: "everything is open for editing: rename the new journal",
            trigger: `${card("Account A2")} [name=journal_name] input`,
            run: "edit Our Pounds",
        },
        {
            content: "leave out the third account",
            trigger: `${card("Account A3")} [name=action] input`,
            run: "click",
        },
        {
            trigger: ".o_select_menu_item:contains(Do not synchronize)",
            run: "click",
        },
        {
            content: "what that means is told at once",
            trigger: `${card("Account A3")}:contains(Its transactions are not imported):not(:has([name=start_date]))`,
        },
        {
            trigger: "button[name=action_confirm]",
            run: "click",
        },
        {
            content: "the summary",
            trigger: `${SCREEN} section:contains(Account A1) dd:contains(2)`,
        },
        {
            trigger: `${SCREEN} section:contains(Our Pounds):contains(The journal agrees with the bank.)`,
        },
        {
            content: "on to the transactions",
            trigger: `${SCREEN} section:contains(Account A1) button:contains(Open Transactions)`,
            run: "click",
        },
        {
            trigger: ".o_list_view .o_data_row:contains(Text of T1)",
        },
    ],
});

registry.category("web_tour.tours").add("online_first_load", {
    steps: () => [
        {
            content: "it waits, and says that the screen may be left",
            trigger: `${SCREEN} [role=status]:contains(or leave this page)`,
        },
        {
            trigger: `${SCREEN} [role=progressbar][aria-valuenow]`,
        },
        {
            content: "leave it",
            trigger: `${SCREEN} button:contains(Connection)`,
            run: "click",
        },
        {
            content: "and come back",
            trigger: "button[name=action_open_first_load]",
            run: "click",
        },
        {
            trigger: `${SCREEN} [role=progressbar]`,
            // Another client starts the work in the meantime.
            async run() {
                const linkId = Number(new URL(window.location).pathname.split("/").at(-1));
                await rpc("/web/dataset/call_kw/account.online.link/action_fetch_transactions", {
                    model: "account.online.link",
                    method: "action_fetch_transactions",
                    args: [[linkId]],
                    kwargs: {},
                });
            },
        },
        {
            content: "the summary comes by itself",
            trigger: `${SCREEN} [role=status]:contains(New transactions: 1.)`,
            timeout: 20000,
        },
    ],
});

registry.category("web_tour.tours").add("online_first_load_error", {
    steps: () => [
        {
            content: "the error, its reference and its one button",
            trigger: `${SCREEN} [role=alert]:contains(Sentence of provider_unavailable.):contains(E-7KQ2)`,
        },
        {
            trigger: `${SCREEN} [role=alert] button:contains(Try Again)`,
            run: "click",
        },
        {
            trigger: `${SCREEN} [role=alert] button:not([disabled])`,
        },
    ],
});

registry.category("web_tour.tours").add("online_first_load_opening", {
    steps: () => [
        {
            content: "the statements agree, the ledger does not yet",
            trigger: `${SCREEN} section:contains(The bank statements agree with the bank.)`,
        },
        {
            content: "one step is left, but somebody may say that it is not needed",
            trigger: `${SCREEN} .o_online_opening button:contains(Not Needed)`,
            run: "click",
        },
        {
            content: "and change their mind",
            trigger: `${SCREEN} .o_online_opening_declined button:contains(Undo)`,
            run: "click",
        },
        {
            trigger: `${SCREEN} .o_online_opening button:contains(Book Opening Balance)`,
            run: "click",
        },
        {
            content: "it says what it does, and the equity account of the chart is chosen",
            trigger: ".modal [name=counterpart_account_id] input:value(Undistributed)",
        },
        {
            trigger: ".modal button[name=action_book]",
            run: "click",
        },
        {
            content: "nothing is left to do",
            trigger: `${SCREEN}:not(:has(.o_online_opening)) section:contains(The journal agrees with the bank.)`,
        },
        {
            trigger: "body:not(:has(.modal))",
        },
    ],
});
