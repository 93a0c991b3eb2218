import { browser } from "@web/core/browser/browser";
import { registry } from "@web/core/registry";

const CARD = ".o_kanban_record:has(span:contains(Trouble Bank))";

/** The clipboard of a browser without permissions takes nothing: what it is given is kept for the next step. */
function watchTheClipboard(isAllowed) {
    const copied = [];
    const refuse = () => Promise.reject(new Error("no clipboard"));
    const writeText = (text) => (isAllowed ? Promise.resolve(copied.push(text)) : refuse());
    Object.defineProperty(browser.navigator, "clipboard", { value: { writeText }, configurable: true });
    return copied;
}

function mustHold(text, ...parts) {
    const missing = parts.filter((part) => !text?.includes(part));
    if (missing.length) {
        throw new Error(`“${text}” does not hold ${missing}`);
    }
}

let copied;

registry.category("web_tour.tours").add("online_status_card", {
    steps: () => [
        {
            content: "The card says what is wrong, and offers the button that helps",
            trigger: `${CARD} .o_online_sync_status a.text-danger:contains(Sentence for support.)`,
        },
        { trigger: `${CARD} .o_online_copy_details`, run: () => (copied = watchTheClipboard(true)) },
        { trigger: `${CARD} .o_online_copy_details`, run: "click" },
        {
            trigger: ".o_notification:contains(Copied)",
            run: () => mustHold(copied[0], "Reference: E-7KQ2", "Code: provider_not_configured"),
        },
        {
            content: "Nothing is offered that would fail",
            trigger: `${CARD}:not(:has(button[name=action_synchronize_now]))`,
        },
        { trigger: `${CARD} .o_online_sync_status a.text-danger`, run: "click" },
        {
            content: "The sentence leads to the connection",
            trigger: ".o_form_view div[name=status_danger]:contains(Sentence for support.)",
        },
    ],
});

registry.category("web_tour.tours").add("online_status_form", {
    steps: () => [
        { trigger: ".o_kanban_record:contains(Scripted Bank)", run: "click" },
        {
            trigger: "div[name=status_danger] button[name=action_renew]",
            run: () => (copied = watchTheClipboard(false)),
        },
        {
            content: "Without the clipboard of the browser the details are copied all the same, or shown",
            trigger: "div[name=status_danger] .o_online_copy_details",
            run: "click",
        },
        { trigger: ".o_notification:contains(/Copied|Reference: E-7KQ2/)" },
        {
            content: "The picture tells in words what it shows",
            trigger: ".o_online_history [role=img][aria-label*='Failed synchronizations: 1']",
        },
        { trigger: "button[name=action_open_runs]", run: "click" },
        { trigger: ".o_list_view .o_data_row .o_data_cell[name=started_at]", run: "click" },
        { trigger: "button[name=action_fetch]" },
        { trigger: ".breadcrumb-item:contains(Scripted Bank)", run: "click" },
        { trigger: "button[name=action_disconnect]", run: "click" },
        {
            content: "It is said what will happen before it does",
            trigger: ".modal-body:contains(Accounts, journals and imported transactions stay)",
        },
        { trigger: ".modal-footer button:contains(Disconnect)", run: "click" },
        {
            content: "Odoo asks for the password, as for API keys",
            trigger: ".modal .o_form_view div[name=password] input",
            run: "edit admin",
        },
        { trigger: ".modal button#password_confirm", run: "click" },
        { trigger: "div[name=status_warning]:contains(This bank is not connected) button[name=action_reconnect]" },
    ],
});
