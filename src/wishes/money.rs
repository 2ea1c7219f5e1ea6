//! Money, which no wish may ask for (domain §3).

use std::sync::LazyLock;

use regex::Regex;

/// Whether a text asks for money in any form: wishes are for goods and services only (domain §3).
///
/// It knows words, not what is meant. Blanks between Chinese characters do not hide one; who asks to be
/// taught to pay with a phone does not ask for money. What it lets pass is read by the street's staff
/// before anybody else sees it.
pub(super) fn asks_for_money(text: &str) -> bool {
    const MONEY: &[&str] = &[
        "钱",
        "现金",
        "现钞",
        "资金",
        "人民币",
        "红包",
        "转账",
        "汇款",
        "借款",
        "还款",
        "还债",
        "捐款",
        "补贴",
        "生活费",
        "学费",
        "房租",
        "医药费",
        "话费",
        "救助金",
        "补助金",
        "慰问金",
        "购物卡",
        "超市卡",
        "加油卡",
        "购物券",
        "代金券",
        "消费券",
        "礼品卡",
        "充值卡",
        "e卡",
    ];
    /// Money, unless one asks for help with it.
    const MEANS: &[&str] = &["微信支付", "支付宝", "充值", "银行卡"];
    const HELP: &[&str] = &["教", "学", "使用", "会用", "不会"];
    const WORDS: &[&str] = &["cash", "money", "voucher", "vouchers"];
    const PHRASES: &[&str] = &["gift card", "bank account"];
    let text = text.to_lowercase();
    let dense = without_look_alikes(&text);
    let has = |words: &[&str]| words.iter().any(|word| dense.contains(word));
    let mut words = text.split(|c: char| !c.is_alphanumeric() && c != '-');
    has(MONEY)
        || (has(MEANS) && !has(HELP))
        || words.any(|word| WORDS.contains(&word))
        || PHRASES.iter().any(|phrase| text.contains(phrase))
}

/// Whether a text names an amount of money, in digits of any width or Chinese numerals. Only a
/// description of goods may: what a thing costs is not asked for.
pub(super) fn names_amount(text: &str) -> bool {
    static AMOUNT: LazyLock<Regex> = LazyLock::new(|| {
        let number = "[0-9０-９零〇一二两三四五六七八九十百千万亿几数][0-9０-９,，.．零〇一二两三四五六七八九十百千万亿几数多余来]*";
        let unit = "元|圆|块钱|人民币|rmb|cny|yuan|dollar|usd";
        // two 块 may be pieces of anything; so many without a word for the thing are money
        let many = "([0-9０-９][0-9０-９,，]{2,}|[0-9０-９零〇一二两三四五六七八九十几数]+[百千万][0-9零一二两三四五六七八九十百千万多余来]*)";
        let nothing_counted = "(左右|上下|吧|行|就|够|[^一-龥]|$)";
        let pattern = format!(
            "{number}({unit})|(¥|￥|\\$|＄|人民币|rmb|cny|usd){number}|{many}块{nothing_counted}|借(给我|我)?{many}{nothing_counted}"
        );
        Regex::new(&pattern).expect("a pattern")
    });
    AMOUNT.is_match(&without_look_alikes(&text.to_lowercase()))
}

/// A text without blanks, and without what only looks like money.
fn without_look_alikes(text: &str) -> String {
    const LOOK_ALIKES: &[&str] = &[
        "钱币",
        "钱包",
        "钱袋",
        "价钱",
        "钱塘",
        "钱江",
        "金钱草",
        "金钱树",
        "元旦",
        "元宵",
        "一元一次",
        "一元二次",
        "二元一次",
        "钱奶奶",
        "钱爷爷",
        "钱大爷",
        "钱大妈",
        "钱阿姨",
        "钱叔叔",
        "钱老师",
        "钱女士",
        "钱先生",
    ];
    let dense: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    LOOK_ALIKES
        .iter()
        .fold(dense, |text, look_alike| text.replace(look_alike, "，"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_recognised() {
        for text in [
            "希望得到一些现金",
            "给我五百块钱",
            "生活费补助",
            "想要人民币",
            "购物券",
            "京东E卡",
            "学费资助",
            "现 金",
            "红 包",
            "请往我的支付宝",
            "A Gift Card please",
            "Cash, please",
            "please give me money",
            "缺钱看病，需要钱",
            "医疗资金帮助",
            "一张超市卡",
            "加油卡",
            "话费卡",
            "代付房租",
            "报销医药费",
            "一点补贴",
            "a shopping voucher",
        ] {
            assert!(asks_for_money(text), "{text}");
        }
        for text in [
            "想要一台收音机",
            "价值约200元的收音机",
            "教我用支付宝",
            "教爷爷手机充值",
            "学习使用微信支付",
            "a cash-free bike",
            "理财讲座",
            "教孩子认识钱币",
            "一个钱包",
            "陪钱奶奶聊天",
        ] {
            assert!(!asks_for_money(text), "{text}");
        }
    }

    #[test]
    fn amounts_are_recognised() {
        for text in [
            "需要五百元",
            "500元",
            "５００ 元",
            "¥500",
            "￥ 1,000",
            "500 RMB",
            "RMB 500",
            "人民币300",
            "50 dollars",
            "$50",
            "几百块钱",
            "两千多元",
            "想要2000块",
            "借我两千",
            "八百块。",
            "给我 500 块就行",
        ] {
            assert!(names_amount(text), "{text}");
        }
        for text in [
            "2027元旦联欢",
            "教一元二次方程",
            "多元文化讲座",
            "三楼的单元门",
            "两块电池",
            "500 米外的菜场",
            "2000块砖",
            "一千块拼图",
            "借我两本书",
            "借200本书给班级",
        ] {
            assert!(!names_amount(text), "{text}");
        }
    }
}
