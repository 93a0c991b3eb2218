import { browser } from "@web/core/browser/browser";
import { registry } from "@web/core/registry";

const tours = registry.category("web_tour.tours");

const INPUT = "#o_bank_query";
const hasBanks = {
    content: "The banks of the company's country are listed",
    trigger: ".o_bank_row:contains('KBC Bank')",
};
const accounts = {
    content: "The consent is taken over: accounts are chosen",
    trigger: ".o_form_view:contains('Account A1')",
};
const isFocused = (selector) => ({
    content: `The focus is on ${selector}`,
    trigger: `${selector}:focus`,
});
const press = (trigger, key) => ({ content: `Press ${key}`, trigger, run: `press ${key}` });

/** A browser that opens no window. */
const block = {
    content: "Windows are blocked from now on",
    trigger: INPUT,
    run() {
        browser.open = () => null;
    },
};

/** A window at which nothing happens: the user is still at the bank. */
const keepWaiting = {
    content: "The window opens, and stays",
    trigger: "body",
    run() {
        browser.open = () => ({
            closed: false,
            document: { body: {} },
            location: { replace: (url) => (document.body.dataset.led = url) },
            focus() {},
            close() {
                document.body.dataset.closed = "yes";
            },
        });
    },
};

/** A window whose user agrees at once, and which then notifies the waiting screen, as the return page does. */
const agree = {
    content: "The user will agree in the window",
    trigger: "body",
    run() {
        const replace = async (url) => {
            const page = new DOMParser().parseFromString(await (await fetch(url)).text(), "text/html");
            const visitId = Number(page.getElementById("o_bank_return").dataset.visit);
            new BroadcastChannel("account_online_synchronization.visit").postMessage({ visitId, isOver: true });
        };
        browser.open = () => ({ closed: false, document: { body: {} }, location: { replace }, focus() {}, close() {} });
    },
};

tours.add("connect_bank_keyboard", {
    steps: () => [
        hasBanks,
        { trigger: "#o_bank_country:value('BE')" },
        { trigger: ".o_connect_bank:not(:contains('Rabobank'))" },
        isFocused(INPUT),
        {
            content: "A broken logo becomes initials",
            trigger: ".o_bank_row:contains('Argenta') span.o_bank_logo:contains('AS')",
        },
        { trigger: INPUT, run: "edit b" },
        { content: "The number of banks is told", trigger: "[role=status]:contains('3 banks found.')" },
        press(INPUT, "ArrowDown"),
        isFocused(".o_bank_item:first-child .o_bank_row"),
        press(".o_bank_item:first-child .o_bank_row", "ArrowDown"),
        isFocused(".o_bank_item:nth-child(2) .o_bank_row"),
        press(".o_bank_item:nth-child(2) .o_bank_row", "End"),
        isFocused(".o_bank_item:last-child .o_bank_row"),
        press(".o_bank_item:last-child .o_bank_row", "/"),
        isFocused(INPUT),
        press(INPUT, "Escape"),
        { trigger: "[role=status]:contains('4 banks found.')" },
        { trigger: INPUT, run: "edit kbc" },
        { trigger: "[role=status]:contains('1 bank found.')" },
        agree,
        press(INPUT, "Enter"),
        accounts,
    ],
});

tours.add("connect_bank_provider", {
    steps: () => [
        hasBanks,
        {
            content: "What a bank cannot do is said",
            trigger: ".o_bank_row:contains('ING'):contains('Synchronizes only while you are present')",
        },
        {
            content: "How far back it goes, too",
            trigger: ".o_bank_row:contains('KBC'):contains('Up to 730 days back')",
        },
        { trigger: ".o_bank_row:contains('ING')", run: "click" },
        { trigger: ".o_bank_row[aria-expanded=true]:contains('ING')" },
        { trigger: ".o_bank_details:not(:has(.o_bank_beta)) .o_bank_connect:contains('Connect')" },
        { trigger: ".o_bank_details label:contains('Two')", run: "click" },
        {
            content: "The other provider is Beta",
            trigger: ".o_bank_beta:contains('does not fully support this bank yet')",
        },
        agree,
        { trigger: ".o_bank_connect:contains('Connect Anyway')", run: "click" },
        accounts,
    ],
});

tours.add("connect_bank_not_listed", {
    steps: () => [
        hasBanks,
        { trigger: INPUT, run: "edit nowhere bank" },
        { trigger: ".o_bank_empty:contains('No bank found')" },
        { trigger: ".o_bank_everywhere", run: "click" },
        isFocused(INPUT),
        { content: "All countries are searched", trigger: ".o_bank_empty:not(:has(.o_bank_everywhere))" },
        { trigger: ".o_bank_manual", run: "click" },
        { trigger: ".modal [name=acc_number] input", run: "edit BE15001559627230" },
        { trigger: ".modal button[name=validate]", run: "click" },
        { trigger: ".o_notification:contains('is ready')" },
        { trigger: ".o_account_kanban .o_kanban_record:contains('BE15001559627230')" },
    ],
});

tours.add("connect_bank_refused", {
    steps: () => [
        hasBanks,
        { trigger: ".o_bank_row:contains('KBC')", run: "click" },
        { trigger: ".o_bank_failure:contains('Sentence of institution_unavailable.')" },
        { content: "It stands here only", trigger: "body:not(:has(.o_notification))" },
        { trigger: ".o_bank_row:contains('Belfius')", run: "click" },
        { content: "One failure replaces the other", trigger: ".o_connect_bank:not(:has(.o_bank_failure ~ .o_bank_failure)) .o_bank_failure" },
        { trigger: INPUT, run: "edit b" },
        { content: "Another search takes it away", trigger: ".o_connect_bank:not(:has(.o_bank_failure))" },
    ],
});

tours.add("connect_bank_blocked", {
    steps: () => [
        hasBanks,
        block,
        { trigger: ".o_bank_row:contains('KBC')", run: "click" },
        { trigger: "h1:contains('Your browser did not open the window')" },
        { content: "The reason is told", trigger: "[role=status]:contains('A pop-up or ad blocker')" },
        { trigger: ".o_bank_visit_here", run: "click", expectUnloadPage: true },
        accounts,
    ],
});

tours.add("connect_bank_resume_and_cancel", {
    steps: () => [
        hasBanks,
        keepWaiting,
        { trigger: ".o_bank_row:contains('KBC')", run: "click" },
        { trigger: "h1:contains('Continue in the window of KBC Bank')" },
        { trigger: "body[data-led*='/bank']" },
        { trigger: ".o_bank_visit_again:contains('Open Again')" },
        { trigger: ".o_bank_visit_later", run: "click" },
        { trigger: ".o_notification:contains('The visit stays open')" },
        { content: "The search knows what was begun", trigger: ".o_bank_begun:contains('KBC Bank')" },
        { trigger: ".o_bank_go_on", run: "click" },
        { content: "Nobody is led away without a click", trigger: "h1:contains('You have started to connect KBC Bank')" },
        { trigger: ".o_bank_visit_again", run: "click" },
        { content: "A new page serves the visit", trigger: "body[data-led*='/renew']" },
        { trigger: "h1:contains('Continue in the window of KBC Bank')" },
        { trigger: ".o_bank_visit_cancel", run: "click" },
        { trigger: "h1:contains('Cancelled')" },
        { content: "The window is gone, too", trigger: "body[data-closed=yes]" },
        { trigger: ".o_bank_visit_leave", run: "click" },
        hasBanks,
        { trigger: ".o_connect_bank:not(:has(.o_bank_begun))" },
    ],
});

tours.add("connect_bank_failed", {
    steps: () => [
        hasBanks,
        keepWaiting,
        { trigger: ".o_bank_row:contains('KBC')", run: "click" },
        { trigger: "h1:contains('did not give its consent')" },
        { trigger: "[role=alert]:contains('Sentence of connection_unfinished.'):contains('E-7KQ2')" },
        { trigger: ".o_bank_visit_again:contains('Try Again')" },
    ],
});

tours.add("connect_bank_phone", {
    steps: () => [
        { trigger: ".o_bank_error:contains('confirm a phone')" },
        { trigger: ".o_bank_phone", run: "click" },
        { trigger: ".modal [name=phone] input", run: "edit 0470123456" },
        { trigger: ".modal button[name=action_send]", run: "click" },
        { trigger: ".modal [name=code] input", run: "edit 123456" },
        { trigger: ".modal button[name=action_confirm]", run: "click" },
        hasBanks,
        { trigger: "body:not(:has(.modal))" },
        isFocused(INPUT),
    ],
});

tours.add("connect_bank_unreachable", {
    steps: () => [
        { trigger: ".o_bank_error:contains('Sentence of service_unavailable.')" },
        { trigger: ".o_bank_retry" },
        { content: "Without a service there still is a way on", trigger: ".o_bank_manual" },
    ],
});

tours.add("connect_bank_denied", {
    steps: () => [{ trigger: ".o_bank_error:contains('Only accounting administrators connect banks')" }],
});

tours.add("connect_bank_entry_points", {
    steps: () => [
        { trigger: ".o_kanban_record:contains('Bank') button[name=action_connect_bank]", run: "click" },
        { trigger: ".o_connect_bank:contains('then arrive in Bank automatically')" },
        hasBanks,
        {
            content: "The dashboard is one step back",
            trigger: ".o_breadcrumb .o_back_button, .breadcrumb-item a",
            run: "click",
        },
        { trigger: ".o_account_kanban" },
    ],
});
