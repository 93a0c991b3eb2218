// The last page in the bank's window. It notifies the waiting screen in another tab of the same browser, and closes; if
// no screen is waiting, it continues automatically. Without scripts, its button does.
(() => {
    const page = document.getElementById("o_bank_return");
    const visitId = Number(page.dataset.visit);
    const PATIENCE = 2500;

    const channel = new BroadcastChannel("account_online_synchronization.visit");
    const goOn = setTimeout(() => window.location.replace(page.dataset.onward), PATIENCE);
    channel.addEventListener("message", ({ data }) => {
        if (data.visitId === visitId && data.isHeard) {
            clearTimeout(goOn);
            document.getElementById("o_bank_return_heard").hidden = false;
            // If the browser does not allow it (the bank has separated the window from its opener), the sentence stays.
            window.close();
        }
    });
    channel.postMessage({ visitId, isOver: true });
})();
