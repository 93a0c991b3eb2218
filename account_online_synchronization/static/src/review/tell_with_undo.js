import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";

/**
 * Notifies the user that something was done, with a button that undoes it.
 *
 * Parameters: `message`; `model` and `id` of the record whose `action_undo` returns an action; `next`, run at once.
 */
function tellWithUndo(env, action) {
    const { message, model, id, next } = action.params;
    const close = env.services.notification.add(message, {
        type: "success",
        sticky: true,
        buttons: [
            {
                name: _t("Undo"),
                onClick: async () => {
                    close();
                    await env.services.action.doAction(await env.services.orm.call(model, "action_undo", [[id]]));
                },
            },
        ],
    });
    return next;
}

registry.category("actions").add("account_online_synchronization.tell_with_undo", tellWithUndo);
