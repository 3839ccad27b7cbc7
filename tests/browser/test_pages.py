"""Every kind of page: accessible in every width and scheme, never wider than its window, a picture of each."""

from playwright.sync_api import Page, expect

from tests.browser import steps
from tests.browser.looks import Looks
from tests.browser.service import Service
from tests.browser.windows import DESK, PHONE, Windows

FREELY = "() => { for (const form of document.forms) form.noValidate = true; }"  # as an old browser would send it


def _post(page: Page, button: str) -> None:
    """Send a form that the browser itself would not."""
    page.evaluate(FREELY)
    with page.expect_navigation():
        page.click(button)


def _first_code(phone: Page, service: Service) -> str:
    """Return the code of the free coffee, from the coupons' page."""
    phone.goto(f"{service.base}/meri/coupons")
    coupon = phone.locator("details", has_text="Free coffee").first
    return "".join(coupon.locator(".said").text_content().split())  # type: ignore[union-attr]


def _misuse(service: Service, phone: Page, manager: dict[str, str]) -> str:
    """Sell more than a day's limit allows, and move a cardboard card over; return the member's spoken code."""
    phone.goto(f"{service.base}/meri/")
    said = steps.spoken(phone)
    for _sale in range(4):
        steps.buy(service, said, 4200)
    approval = {"staff": manager["id"], "pin": manager["pin"]}
    card = {"member": said, "program": "coffee", "stamps": 7, "cashier": manager["id"], "approval": approval}
    steps.api(service, "kallio", "cardboard-cards", card, key="pages-cardboard")
    return said


def test_pages_before_the_card_have_no_fault(service: Service, windows: Windows) -> None:
    looks, page = Looks(), windows.open(PHONE)
    page.goto(f"{service.base}/meri/join?lang=en")
    looks.at(page, "join")
    page.fill("#contact", "no contact")
    page.check("input[name=consent_sms]")
    _post(page, "main form .btn")
    expect(page.locator("#age-error")).to_be_visible()
    looks.at(page, "join-errors")
    for path in ("terms", "privacy", "offline", "sign-in"):
        page.goto(f"{service.base}/meri/{path}")
        looks.at(page, path)
    page.fill("#contact", "nobody@example.com")
    page.click("main .btn")
    page.fill("#code", "000000")
    page.click("main .btn")
    expect(page.locator("#code-error")).to_be_visible()
    looks.at(page, "sign-in-code")
    others = {"error": "meri/nothing-here.css", "at-till": "m/ABCDEFGHJKLMNPQR", "link-over": "meri/confirm?token=x"}
    for name, path in others.items():
        page.goto(f"{service.base}/{path}")
        looks.at(page, name)
    assert looks.faults == []


def test_pages_of_a_member_have_no_fault(service: Service, windows: Windows) -> None:
    looks, page = Looks(), windows.open(PHONE)
    steps.join(page, service, "pages@example.com")
    looks.at(page, "card-new")
    said = steps.spoken(page)
    steps.buy(service, said, 3200)
    expect(page.locator("[data-push]")).to_be_visible()
    page.fill("#code", "000000")
    page.click("main button:has-text('Confirm')")
    expect(page.locator("#code-error")).to_be_visible()
    looks.at(page, "card-banners")
    page.goto(f"{service.base}/meri/confirm")
    looks.at(page, "confirm")
    page.goto(f"{service.base}/meri/")
    steps.confirm(page, service, "pages@example.com")
    steps.buy(service, said, 300)
    sold = steps.buy(service, said, 4200)
    expect(page.locator("[data-filled]")).to_be_visible()
    looks.at(page, "card-full")
    page.locator(".stub .qr").click()
    looks.at(page, "card-enlarged")
    code = _first_code(page, service)
    for path in ("coupons", "activity", "profile", "wallet", "tiers"):
        page.goto(f"{service.base}/meri/{path}")
        looks.at(page, path)

    steps.api(service, "turku", f"coupons/{code}/redemptions", {}, key="pages-redeem")
    steps.api(service, "kallio", "refunds", {"purchase": sold["purchase"]}, key="pages-refund")
    page.goto(f"{service.base}/meri/")
    expect(page.locator(".face[data-stamps='-2']")).to_be_visible()
    expect(page.locator(".face").first).to_contain_text("The next 2 pay for a refund")
    looks.at(page, "card-debt")
    till = windows.open(DESK)
    steps.log_in_till(till, service, "turku")
    steps.find(till, said)
    till.fill("#amount", "12,00")
    expect(till.locator("[data-sub]")).to_have_text("becomes 1 of 10")
    expect(till.locator(".stamps .next")).to_have_count(1)  # of three stamps, two are owed
    page.goto(f"{service.base}/meri/activity")
    looks.at(page, "activity-refund")
    assert looks.faults == []


def test_pages_of_the_till_have_no_fault(service: Service, windows: Windows) -> None:
    looks, phone, page = Looks(), windows.open(PHONE), windows.open(DESK)
    steps.join(phone, service, "tillpages@example.com")
    said = steps.spoken(phone)
    page.goto(f"{service.base}/till")
    page.fill("#key", "no-such-key")
    page.click("main .main")
    expect(page.get_by_role("alert")).to_be_visible()
    looks.at(page, "till-login")
    steps.log_in_till(page, service, "tampere")
    page.fill("#text", "ABCDEFGH")
    page.click("text=Find")
    expect(page.locator("#text-error")).to_be_visible()
    looks.at(page, "till-unknown")
    page.goto(f"{service.base}/till")
    looks.at(page, "till-idle")
    steps.buy(service, said, 4800, outlet="kallio")
    steps.find(page, said)
    looks.at(page, "till-scan")
    page.fill("#amount", "12,00")
    page.click(".pay .main")
    expect(page.locator("[data-result]")).to_be_visible()
    looks.at(page, "till-result")
    steps.find(page, _first_code(phone, service))
    looks.at(page, "till-coupon")
    page.click("main .main")
    expect(page.locator("[data-result] h1")).to_have_text("Free coffee redeemed")
    looks.at(page, "till-redeemed")
    page.goto(f"{service.base}/till/gift-cards")
    expect(page.locator("#amount")).to_be_visible()
    looks.at(page, "till-gift-cards")
    page.goto(f"{service.base}/till/members")
    looks.at(page, "till-members")
    page.fill("#contact", "no contact")
    page.evaluate(FREELY)
    page.click("text=Make the card")
    expect(page.locator("#contact-error")).to_be_visible()
    looks.at(page, "till-members-errors")
    assert looks.faults == []


def test_pages_of_the_brand_and_of_the_demo_have_no_fault(service: Service, windows: Windows) -> None:
    looks, phone, page = Looks(), windows.open(PHONE), windows.open(DESK)
    steps.join(phone, service, "brandpages@example.com", name="Aamu")
    steps.buy(service, steps.spoken(phone), 4200)
    email, kept = next(iter(service.staff().items()))
    page.goto(f"{service.base}/brand/login")
    page.fill("#email", email)
    page.fill("#password", "wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    looks.at(page, "brand-login")
    page.fill("#password", kept["password"])
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Dashboard")
    looks.at(page, "brand-dashboard")
    page.goto(f"{service.base}/brand/members")
    looks.at(page, "brand-members")
    page.get_by_role("link", name="Aamu").first.click()
    expect(page.locator("h1")).to_have_text("Aamu")
    looks.at(page, "brand-member")
    page.goto(f"{service.base}/brand/wallet")
    looks.at(page, "brand-wallet")
    page.evaluate(FREELY)
    page.click("text=Publish")
    expect(page.get_by_role("alert")).to_be_visible()
    looks.at(page, "brand-wallet-errors")
    page.goto(f"{service.base}/brand/wallet/looks")
    looks.at(page, "brand-looks")
    said = _misuse(service, phone, kept)
    page.goto(f"{service.base}/brand/flags")
    looks.at(page, "brand-flags")
    page.locator("article", has_text="Aamu").get_by_role("button", name="Give it after all").first.click()
    expect(page.get_by_role("status")).to_contain_text("Approved.")
    looks.at(page, "brand-flags-judged")
    page.goto(f"{service.base}/brand/members?q={said}")
    page.get_by_role("link", name="Aamu").first.click()
    looks.at(page, "brand-member-judged")
    phone.goto(f"{service.base}/meri/activity")
    looks.at(phone, "activity-judged")
    for path in ("programs", "programs/coffee", "programs/new", "rewards", "rewards/free-coffee", "outlets", "people"):
        page.goto(f"{service.base}/brand/{path}")
        looks.at(page, "brand-" + path.replace("/", "-"))
    phone.goto(f"{service.base}/meri/wallet")
    phone.click("text=simulated iPhone")
    expect(phone.locator("article")).to_have_count(1)
    for path in ("dev/", "dev/outbox", "dev/iphone"):
        page.goto(f"{service.base}/{path}")
        looks.at(page, path.strip("/").replace("/", "-"))
    assert looks.faults == []


def test_pages_that_make_programs_and_rewards_have_no_fault(service: Service, windows: Windows) -> None:
    looks, page = Looks(), windows.open(DESK)
    email, kept = next(iter(service.staff().items()))
    page.goto(f"{service.base}/brand/login?next=/brand/programs/coffee/edit")
    page.fill("#email", email)
    page.fill("#password", kept["password"])
    page.keyboard.press("Enter")
    expect(page.locator("[data-phone] .count").first).to_have_text("4/10")
    page.fill("#size", "5")
    expect(page.locator("[data-phone] .count").first).to_have_text("2/5")  # drawn anew by the script
    looks.at(page, "brand-program-edit")
    page.click("text=Save the draft")
    expect(page.get_by_role("status")).to_contain_text("Saved")
    page.click("button:has-text('Simulate')")
    expect(page.get_by_role("region", name="What it found")).to_be_visible()
    looks.at(page, "brand-program-draft")
    page.goto(f"{service.base}/brand/programs/new?kind=standing")
    looks.at(page, "brand-program-new")
    page.goto(f"{service.base}/brand/rewards/new")
    looks.at(page, "brand-reward-new")
    page.goto(f"{service.base}/brand/programs/coffee?version=draft")
    page.click("text=Throw the draft away")
    expect(page.get_by_role("status")).to_contain_text("The draft is gone")
    assert looks.faults == []
