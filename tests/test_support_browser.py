"""What support does for a client in the back office of the proxy, in a real browser. Each step leaves a picture."""

from playwright.sync_api import expect

from .settled import expect_to_fit
from .test_browser import PATIENCE, PHONE, a_tour_of

#: A client; a copy for tests and the moved original send requests with its credentials.
REFUSED = """
from odoo.addons.bank_sync_proxy.providers.errors import ConsentError
client = env["bank.sync.client"].create({
    "name": "Bakery", "database_uuid": "bakery-1", "url": "https://bakery.example", "database_digest": "a" * 64})
for letter, address in (("c", "198.51.100.7"), ("b", "203.0.113.8")):
    try:
        client._check_copy(letter * 64, address)
    except ConsentError:
        pass
result = client.id
"""


def test_support_accepts_the_moved_database_and_not_the_copy(served):
    client = served.shell(REFUSED)
    with a_tour_of(served) as tour:
        form = f"/odoo/action-bank_sync_proxy_server.bank_sync_client_action/{client}"
        tour.open(form)
        tour.sees("are refused as copies")
        tour.photograph("refused_databases")
        expect_to_fit(tour.page, "document.documentElement.scrollWidth > window.innerWidth", "refused_databases")
        tour.page.set_viewport_size(PHONE)
        tour.open(form)
        tour.sees("bbbb-bbbb-bbbb")
        tour.page.get_by_text("bbbb-bbbb-bbbb").scroll_into_view_if_needed()
        tour.photograph("refused_databases_phone")
        expect_to_fit(tour.page, "document.documentElement.scrollWidth > window.innerWidth", "refused_databases_phone")

        moved = tour.page.locator(".o_field_x2many .o_kanban_record").filter(has_text="bbbb-bbbb-bbbb")
        moved.get_by_role("button", name="Accept New Database").click()
        tour.sees("This database becomes the original")
        tour.photograph("refused_databases_confirm_phone")
        tour.page.locator(".modal-footer .btn-primary").click()
        expect(tour.page.get_by_text("are refused as copies")).to_be_hidden(timeout=PATIENCE)
        assert tour.errors == []
    assert served.sql(f"SELECT database_digest FROM bank_sync_client WHERE id = {client}") == [["b" * 64]]
