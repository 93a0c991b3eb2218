import { registry } from "@web/core/registry";

const card = ".o_kanban_record:has(button[name=action_synchronize_now])";

function openFromTheCard(item) {
    return [
        { trigger: card, run: `hover && click ${card} .o_dropdown_kanban button` },
        { trigger: `.o-dropdown--menu a[role=menuitem]:contains("${item}")`, run: "click" },
    ];
}

registry.category("web_tour.tours").add("account_online_synchronization.find_missing", {
    steps: () => [
        ...openFromTheCard("Find Missing Transactions"),
        { trigger: ".modal button[name=action_compare]", run: "click" },
        { trigger: ".modal section[data-key=pending]:contains('Card payment'):not(:has(input))" },
        { trigger: ".modal section[data-key=missing] input[type=checkbox]", run: "click" },
        { trigger: ".modal [role=status]:contains('1 transaction selected')" },
        { trigger: ".modal button[name=action_import]", run: "click" },
        { trigger: ".o_list_view .o_data_row:contains('Rent')" },
    ],
});

registry.category("web_tour.tours").add("account_online_synchronization.find_missing_nothing", {
    steps: () => [
        { trigger: ".o_list_view" },
        { trigger: ".o_control_panel .o_cp_action_menus button:has(.fa-cog)", run: "click" },
        { trigger: ".o_online_review_item:contains('Find Duplicate Transactions')" },
        { trigger: ".o_online_review_item:contains('Find Missing Transactions')", run: "click" },
        { trigger: ".modal button[name=action_compare]", run: "click" },
        { trigger: ".modal [name=summary]:contains('Nothing is missing between')" },
        { trigger: ".modal button[name=action_change]", run: "click" },
        { trigger: ".modal button[name=action_compare]" },
    ],
});

registry.category("web_tour.tours").add("account_online_synchronization.find_missing_in_parts", {
    steps: () => [
        ...openFromTheCard("Find Missing Transactions"),
        { trigger: ".modal button[name=action_compare]", run: "click" },
        { trigger: ".modal section[data-key=missing]:contains('Rent 5')" },
    ],
});

registry.category("web_tour.tours").add("account_online_synchronization.find_missing_fails", {
    steps: () => [
        ...openFromTheCard("Find Missing Transactions"),
        { trigger: ".modal button[name=action_compare]", run: "click" },
        { trigger: ".modal [role=alert]:contains('Sentence of consent_expired.')" },
        { trigger: ".modal button[name=action_solve]:contains('Renew')" },
        { trigger: ".modal button[name=action_compare]:contains('Try Again')" },
    ],
});

registry.category("web_tour.tours").add("account_online_synchronization.find_duplicates", {
    steps: () => [
        ...openFromTheCard("Find Duplicate Transactions"),
        { trigger: ".modal section:contains('Coffee') input[type=checkbox]", run: "click" },
        { trigger: ".modal [role=status]:contains('1 transaction selected')" },
        { trigger: ".modal button[name=action_delete]", run: "click" },
        { trigger: ".modal button:contains(/^Delete$/)", run: "click" },
        { trigger: ".o_notification:contains('1 transaction was deleted.')" },
        { trigger: ".modal [name=summary]:contains('1 group')" },
        { trigger: ".o_notification button:contains('Undo')", run: "click" },
        { trigger: ".modal [name=summary]:contains('1 transaction is back in the journal.')" },
        { trigger: ".modal section:contains('Coffee') button:contains('Not the same')", run: "click" },
        { trigger: ".modal:not(:has(section:contains('Coffee'))) section:contains('Paper')" },
    ],
});

registry.category("web_tour.tours").add("account_online_synchronization.settings", {
    steps: () => [
        { trigger: ".o_searchview_input", run: "edit consent" },
        { trigger: "#online_sync_notices:visible" },
        { trigger: "#online_sync_notices [name=online_sync_notice_days] input", run: "edit 30, 7" },
        { trigger: ".o_form_button_save", run: "click", expectUnloadPage: true },
        { trigger: ".o_web_client .o_setting_container" },
    ],
});
