# Munjigi の日本語。このファイルを pages.folder の locales に置くだけで、日本語が加わります。

language-name = 日本語
language-direction = ltr
language-switch = 言語

## 時刻（UTC）

date = { $year }年{ $month }月{ $day }日
datetime = { date } { $time } UTC
ago-now = たった今
ago-minutes = { $count }分前
ago-hours = { $count }時間前
ago-days = { $count }日前

## いくつかのページで使う言葉

label-username = ユーザー名
label-name = 名前
label-password = パスワード
label-confirm = パスワード（確認）
label-current-password = 現在のパスワード
label-new-password = 新しいパスワード
label-confirm-new = 新しいパスワード（確認）

go-log-in = ログイン
go-log-out = ログアウト
go-register = アカウントを作成
go-account = アカウント
go-home = 最初のページへ

form-check = 入力内容をご確認ください。
title-error = エラー: { $title }
password-advice = { $min }文字以上で入力してください。{ $advised }文字以上あるとより安全です。文章にすると覚えやすくなります。
password-advice-long = { $min }文字以上で入力してください。文章にすると覚えやすくなります。

reason-expired = ログインの有効期限が切れました。もう一度ログインしてください。
reason-ended = この端末からログアウトされました。もう一度ログインしてください。
reason-reused = ほかの場所でもログイン情報が使われた可能性があるため、安全のためログアウトしました。もう一度ログインしてください。心当たりがない場合は、パスワードも変更してください。
reason-again = 続けるには、もう一度パスワードを入力してください。

## ログイン

login-title = ログイン
login-remember = ログインしたままにする
login-no-account = アカウントをお持ちでない方は

## アカウントの作成

register-title = アカウントを作成
register-username-hint = 半角の英数字、ピリオド、ハイフン、アンダースコアで{ $min }～{ $max }文字
register-name-hint = 画面に表示される名前です。いつでも変更できます。
register-submit = 作成する
register-have-account = すでにアカウントをお持ちの方は

closed-title = 現在、新規登録はできません
closed-text = 新しいアカウントの受け付けを停止しています。アカウントが必要な場合は、サイトの運営者にお問い合わせください。

## ログイン状態

info-title = { $name }さん、こんにちは
info-signed-in = { $username }としてログインしています。
info-anonymous-title = ログインしていません
info-anonymous-text = 続けるにはログインしてください。
info-session-until = ログインの有効期限
info-renews-at = 次回の自動更新
info-until-hint = 利用するたびに延長されます。

## アカウント

account-title = アカウント
account-username = ユーザー名: { $username }
account-name-title = プロフィール
account-name-save = 名前を保存
account-password-title = パスワード
account-password-hint = 変更すると、ほかのすべての端末からログアウトされます。
account-password-save = パスワードを変更
sessions-title = ログイン中の端末
sessions-this = この端末
sessions-used = 最終利用
sessions-since = ログイン
sessions-end = ログアウト
sessions-end-this = この端末からログアウト
sessions-end-others = ほかの端末からすべてログアウト

saved-name = 名前を保存しました。
saved-password = パスワードを変更しました。
saved-session = その端末からログアウトしました。
saved-sessions = ほかの端末からすべてログアウトしました。
unsaved-name = ログアウトされていたため、名前はまだ保存されていません。入力した名前は残っていますので、もう一度保存してください。
unsaved-password = ログアウトされていたため、パスワードは変更されていません。もう一度お試しください。

## ログアウト

logout-title = ログアウトしますか？
logout-text = この端末では{ $username }としてログインしています。
logout-stay = ログインしたままにする
logout-nobody-title = ログインしていません
logout-nobody-text = すでにログアウトしています。

## エラー

error-request-id = リクエストID

problem-validation-failed-title = 入力内容をご確認ください
problem-validation-failed-detail = 修正が必要な項目があります。
problem-malformed-title = リクエストを読み取れませんでした
problem-malformed-detail = リクエストの一部が欠けているか、壊れています。前のページに戻って、もう一度お試しください。
problem-username-taken-title = そのユーザー名は使われています
problem-username-taken-detail = このユーザー名はすでに使われています。別のユーザー名を入力してください。
problem-invalid-credentials-title = ログインできませんでした
problem-invalid-credentials-detail = ユーザー名またはパスワードが正しくありません。
problem-login-required-title = ログインしてください
problem-login-required-detail = 続けるにはログインが必要です。
problem-session-ended-title = ログインが終了しました
problem-session-ended-detail = もう一度ログインしてください。
problem-cross-origin-title = ほかのサイトからのリクエストです
problem-cross-origin-detail = 安全のため、このサイトのページからのリクエストだけを受け付けています。ここでページを開き直して、もう一度お試しください。
problem-forbidden-title = この操作はできません
problem-forbidden-detail = この操作を行う権限がありません。
problem-not-found-title = ページが見つかりません
problem-not-found-detail = アドレスが間違っているか、ページがなくなった可能性があります。
problem-method-not-allowed-title = ここではできない操作です
problem-method-not-allowed-detail = このアドレスでは、この種類のリクエストを受け付けていません。
problem-too-large-title = リクエストが大きすぎます
problem-too-large-detail = 受け付けられる大きさを超えています。
problem-unsupported-media-type-title = 対応していない形式です
problem-unsupported-media-type-detail = フォームまたはJSONで送信してください。
problem-rate-limited-title = 試行回数が多すぎます
problem-rate-limited-detail = { MINUTES($seconds) ->
    [0] { $seconds }秒
   *[other] { MINUTES($seconds) }分
}後にもう一度お試しください。
problem-internal-title = 問題が発生しました
problem-internal-detail = こちら側の問題です。しばらくしてから、もう一度お試しください。繰り返し発生する場合は、リクエストIDをお知らせください。
problem-unavailable-title = ただいま利用できません
problem-unavailable-detail = 一時的に応答できません。しばらくしてから、もう一度お試しください。

account-disabled = このアカウントは停止されています。サイトの運営者にお問い合わせください。
registration-closed = 現在、新しいアカウントを作成することはできません。

## 入力のエラー

field-required = 入力してください。
field-username-length = { $min }～{ $max }文字で入力してください。
field-username-characters = 半角の英数字、ピリオド、ハイフン、アンダースコアだけを使ってください。
field-username-reserved = このユーザー名は使えません。別のユーザー名を入力してください。
field-username-taken = このユーザー名はすでに使われています。別のユーザー名を入力してください。
field-name-length = { $max }文字以内で入力してください。
field-name-characters = 名前に使えない文字が含まれています。
field-password-short = { $min }文字以上で入力してください。
field-password-long = { $max }文字以内で入力してください。
field-password-common = よく使われていて、推測されやすいパスワードです。別のパスワードにしてください。
field-password-contains-username = ユーザー名を含まないパスワードにしてください。
field-password-site-name = サイト名だけのパスワードは使えません。別のパスワードにしてください。
field-password-breached = ほかのサービスから流出したことのあるパスワードで、攻撃に使われるおそれがあります。別のパスワードにしてください。
field-password-differs = 2つのパスワードが一致しません。
field-password-wrong = 現在のパスワードが正しくありません。

## まだ誰もいないサイトの最初のページ

welcome-title = { $name }の準備ができました
welcome-text = まだアカウントはひとつもありません。4つの手順で、アプリにログインが加わります。
welcome-account-title = 最初のアカウントを作成する
welcome-account-text = ほかと同じ普通のアカウントで、作成するとすぐにログインします。
welcome-account-closed = ここでは新規登録を受け付けていません。サーバーで次のコマンドを使って作成してください。
welcome-app-title = アプリの前に置く
welcome-app-text = 合うものを選んでください。それぞれの説明がドキュメントにあります。
welcome-app-proxy = どの言語のアプリでも: プロキシがリクエストごとに確認します。
welcome-app-rust = Rustのアプリ: ログインをアプリに組み込みます。
welcome-app-clients = Node.js、Python、ブラウザー: アプリ自身が確認します。
welcome-address-title = 公開するアドレスを伝える
welcome-address-text = ほかの人が来る前に、入力されるアドレスをmunjigi.tomlに次のように書いてください。
welcome-doctor-title = 問題がないか確かめる
welcome-doctor-text = サーバーで次のコマンドを実行すると、すべてを調べて、直し方を教えてくれます。
welcome-until = このページは、最初のアカウントができるまで表示されます。

## 端末

device-on = { $system }の{ $browser }
device-unknown = 不明な端末

## これから加わるページの部品と、すべての部品を並べたページ

label-email = メールアドレス
label-code = 6桁の確認コード

second-factor-title = 確認コードを入力
second-factor-text = 認証アプリを開き、このサイトに表示されているコードを入力してください。
second-factor-submit = 続ける
second-factor-other = リカバリーコードを使う

passkey-title = パスキーでログイン
passkey-text = 指紋、顔、または画面ロックを使ってログインできます。
passkey-submit = パスキーを使う
passkey-or = または
passkey-password = パスワードを使う

forgot-title = パスワードをお忘れですか？
forgot-text = メールアドレスを入力すると、新しいパスワードを設定するためのリンクをお送りします。
forgot-submit = リンクを送信
forgot-back = ログインに戻る
sent-title = メールをご確認ください
sent-text = { $email }で登録されたアカウントがあれば、まもなくリンクが届きます。リンクの有効期限は{ $minutes }分です。
reset-title = 新しいパスワードを設定
verify-title = メールアドレスの確認
verify-text = { $email }はご本人のアドレスですか？
verify-submit = はい、そうです

mail-subject = { $site }の新しいパスワード
mail-greeting = { $name }さん、こんにちは
mail-text = パスワードの再設定が申し込まれました。リンクは{ $minutes }分以内に一度だけ使えます。
mail-button = 新しいパスワードを設定
mail-not-me = 心当たりがない場合は、何もする必要はありません。パスワードはそのままです。

codes-title = リカバリーコード
codes-text = 安全な場所に保管してください。電話が手元にないときに、それぞれ一度だけ使えます。
keys-title = パスキー
keys-remove = 削除
keys-none = パスキーはまだありません。

delete-title = アカウントを削除しますか？
delete-text = このサイトにあるあなたの情報がすべて削除され、元に戻すことはできません。
delete-confirm = 確認のため、{ $username }と入力してください
delete-submit = アカウントを削除
delete-keep = 削除しない

style-title = スタイル
style-text = 見た目を調整する方のために、すべての部品を一つのページに並べました。
style-buttons = ボタン
style-button-usual = 保存
style-button-other = キャンセル
style-button-plain = スキップ
style-button-danger = 削除
style-button-busy = 保存しています…
style-inputs = 入力欄
style-notices = お知らせ
style-notice-info = 知っておくとよいことです。
style-notice-good = うまくいきました。
style-notice-warn = 近いうちに確認が必要です。
style-notice-bad = うまくいきませんでした。
style-coming = これから加わるページ

## スクリプトが表示する言葉

password-show = { $label }を表示
password-caps = Caps Lockがオンになっています。
busy-log-in = ログインしています…
busy-register = アカウントを作成しています…
busy-save = 保存しています…
watch-ended = ここではログアウトされました。入力した内容はこのページに残っています。

## パスワードの強さ

strength-refused = まだ使えません。
strength-weak = 弱いです。
strength-fair = 普通です。
strength-good = 良いです。
strength-strong = とても良いです。
strength-advice-common = 誰もが試す言葉に、少し加えただけです。いくつかの言葉をつなげてみてください。
strength-advice-digits = 数字だけではすぐに破られます。言葉を加えてください。
strength-advice-repeats = 繰り返しても、あまり強くなりません。別の言葉を加えてください。
strength-advice-rows = 並んだキーや文字は、最初に試されます。言葉を加えてください。
strength-advice-known = ユーザー名やサイト名では、あまり強くなりません。別の言葉を加えてください。
strength-advice-longer = あと一つか二つ言葉を加えると、より強くなります。

## サイトごとに違う言葉: 何も書かなければ空です

login-extra = { "" }
register-extra = { "" }
footer-extra = { "" }

legal-terms = 利用規約
legal-privacy = プライバシーポリシー
register-agree = アカウントを作成すると、次の内容に同意したことになります。
