"""What a template may say: the keys of pass.json and google.json that are its own. All others are Leima's. Pure."""

APPLE_STYLES = ("storeCard", "coupon", "generic", "eventTicket")
FIELD_LISTS = ("headerFields", "primaryFields", "secondaryFields", "auxiliaryFields", "backFields")
APPLE_KEYS = frozenset({
    "formatVersion", "description", "organizationName", "logoText", "backgroundColor", "foregroundColor", "labelColor",
    "suppressStripShine", "sharingProhibited", "barcodes", *APPLE_STYLES,
})  # fmt: skip
FIELD_KEYS = frozenset({
    "key", "label", "value", "textAlignment", "dataDetectorTypes", "dateStyle", "timeStyle",
    "isRelative", "ignoresTimeZone", "numberStyle", "currencyCode",
})  # fmt: skip
BARCODE_KEYS = frozenset({"format", "message", "messageEncoding", "altText"})

# Who a pass is, who signs it, where it is updated, which phones and apps it opens: told by name when a template tries.
OURS = frozenset({
    "passTypeIdentifier", "teamIdentifier", "serialNumber", "authenticationToken", "webServiceURL", "nfc",
    "associatedStoreIdentifiers", "appLaunchURL", "userInfo", "groupingIdentifier", "barcode", "voided",
    "expirationDate", "relevantDate", "locations", "maxDistance", "beacons", "changeMessage", "id", "classId",
    "classReference", "linkedObjectIds", "linkedOfferIds", "callbackOptions", "messages", "merchantLocations",
    "notifyPreference", "hasUsers", "enableSmartTap", "redemptionIssuers", "smartTapRedemptionValue",
    "validTimeInterval",
})  # fmt: skip

_GOOGLE_LOOK = {
    "issuerName", "hexBackgroundColor", "heroImage", "wordMark", "homepageUri", "countryCode", "reviewStatus",
    "textModulesData", "linksModuleData", "imageModulesData", "infoModuleData", "classTemplateInfo",
    "multipleDevicesAndHoldersAllowedStatus", "viewUnlockRequirement", "securityAnimation", "localizedIssuerName",
}  # fmt: skip
_GOOGLE_HOLD = {
    "state", "barcode", "heroImage", "textModulesData", "linksModuleData", "imageModulesData", "infoModuleData",
    "passConstraints", "disableExpirationNotification",
}  # fmt: skip
_LOYALTY_CLASS = frozenset(_GOOGLE_LOOK | {
    "programName", "programLogo", "wideProgramLogo", "accountNameLabel", "accountIdLabel", "rewardsTier",
    "rewardsTierLabel", "secondaryRewardsTier", "secondaryRewardsTierLabel", "localizedProgramName",
    "localizedAccountNameLabel", "localizedAccountIdLabel", "localizedRewardsTier", "localizedRewardsTierLabel",
})  # fmt: skip
_LOYALTY_OBJECT = frozenset(
    _GOOGLE_HOLD | {"accountName", "accountId", "loyaltyPoints", "secondaryLoyaltyPoints", "rotatingBarcode"}
)
_OFFER_CLASS = frozenset(_GOOGLE_LOOK | {
    "title", "shortTitle", "provider", "redemptionChannel", "titleImage", "wideTitleImage", "details", "finePrint",
    "helpUri", "localizedTitle", "localizedShortTitle", "localizedProvider", "localizedDetails", "localizedFinePrint",
})  # fmt: skip
_GIFT_CARD_CLASS = frozenset(_GOOGLE_LOOK | {
    "merchantName", "programLogo", "wideProgramLogo", "allowBarcodeRedemption", "pinLabel", "cardNumberLabel",
    "eventNumberLabel", "localizedMerchantName", "localizedPinLabel", "localizedCardNumberLabel",
})  # fmt: skip
GOOGLE_KEYS: dict[str, dict[str, frozenset[str]]] = {  # by kind and part
    "stamp_card": {"class": _LOYALTY_CLASS, "object": _LOYALTY_OBJECT},
    "bonus_card": {"class": _LOYALTY_CLASS, "object": _LOYALTY_OBJECT},
    "coupon": {"class": _OFFER_CLASS, "object": frozenset(_GOOGLE_HOLD)},
    "gift_card": {
        "class": _GIFT_CARD_CLASS, "object": frozenset(_GOOGLE_HOLD | {"cardNumber", "pin", "balance", "eventNumber"}),
    },
}  # fmt: skip
