# 한국어 문지기. 키는 pages/messages.rs에 설명되어 있고, 모든 언어에 같은 키와 변수가 있어요.

language-name = 한국어
language-direction = ltr
language-switch = 언어

## 시각 (UTC)

date = { $year }년 { $month }월 { $day }일
datetime = { date } { $time } UTC
ago-now = 방금 전
ago-minutes = { $count }분 전
ago-hours = { $count }시간 전
ago-days = { $count }일 전

## 여러 페이지에서 함께 쓰는 말

label-username = 아이디
label-name = 이름
label-password = 비밀번호
label-confirm = 비밀번호 확인
label-current-password = 현재 비밀번호
label-new-password = 새 비밀번호
label-confirm-new = 새 비밀번호 확인

go-log-in = 로그인
go-log-out = 로그아웃
go-register = 회원가입
go-account = 내 계정
go-home = 처음으로

form-check = 입력한 내용을 확인해 주세요.
title-error = 오류: { $title }
password-advice = { $min }자 이상이어야 하고, { $advised }자 이상이면 더 안전해요. 문장으로 만들면 외우기도 쉬워요.
password-advice-long = { $min }자 이상으로 정해 주세요. 문장으로 만들면 외우기 쉬워요.

reason-expired = 로그인이 만료됐어요. 다시 로그인해 주세요.
reason-ended = 이 기기에서 로그아웃됐어요. 다시 로그인해 주세요.
reason-reused = 다른 곳에서도 내 로그인 정보가 쓰인 것 같아 안전을 위해 로그아웃했어요. 다시 로그인해 주세요. 본인이 아니라면 비밀번호도 바꿔 주세요.
reason-again = 계속하려면 비밀번호를 다시 입력해 주세요.

## 로그인

login-title = 로그인
login-remember = 로그인 상태 유지
login-no-account = 아직 계정이 없나요?

## 회원가입

register-title = 회원가입
register-username-hint = 영문, 숫자, 마침표(.), 하이픈(-), 밑줄(_)로 { $min }~{ $max }자
register-name-hint = 화면에 보이는 이름이에요. 언제든 바꿀 수 있어요.
register-submit = 가입하기
register-have-account = 이미 계정이 있나요?

closed-title = 지금은 가입할 수 없어요
closed-text = 새 회원을 받고 있지 않아요. 계정이 필요하다면 사이트 운영자에게 문의해 주세요.

## 내 정보

info-title = { $name }님, 안녕하세요
info-signed-in = { JOSA($username, "으로/로") } 로그인했어요.
info-anonymous-title = 로그인하지 않았어요
info-anonymous-text = 계속하려면 로그인해 주세요.
info-session-until = 로그인 유지 기한
info-renews-at = 다음 자동 갱신
info-until-hint = 이용할 때마다 늘어나요.

## 내 계정

account-title = 내 계정
account-username = 아이디: { $username }
account-name-title = 프로필
account-name-save = 이름 저장
account-password-title = 비밀번호
account-password-hint = 비밀번호를 바꾸면 다른 기기에서는 모두 로그아웃돼요.
account-password-save = 비밀번호 바꾸기
sessions-title = 로그인한 기기
sessions-this = 지금 이 기기
sessions-used = 마지막 사용
sessions-since = 로그인
sessions-end = 로그아웃
sessions-end-this = 여기서 로그아웃
sessions-end-others = 다른 기기에서 모두 로그아웃

saved-name = 이름을 저장했어요.
saved-password = 비밀번호를 바꿨어요.
saved-session = 그 기기에서 로그아웃했어요.
saved-sessions = 다른 기기에서 모두 로그아웃했어요.
unsaved-name = 로그아웃된 뒤여서 이름을 저장하지 못했어요. 입력한 이름은 그대로 있으니 다시 저장해 주세요.
unsaved-password = 로그아웃된 뒤여서 비밀번호를 바꾸지 못했어요. 다시 시도해 주세요.

## 로그아웃

logout-title = 로그아웃할까요?
logout-text = 이 기기에서 { JOSA($username, "으로/로") } 로그인되어 있어요.
logout-stay = 그대로 있기
logout-nobody-title = 로그인하지 않았어요
logout-nobody-text = 이미 로그아웃되어 있어요.

## 오류

error-request-id = 요청 번호

problem-validation-failed-title = 입력한 내용을 확인해 주세요
problem-validation-failed-detail = 다시 확인할 항목이 있어요.
problem-malformed-title = 요청을 읽지 못했어요
problem-malformed-detail = 요청의 일부가 빠졌거나 잘못됐어요. 이전 페이지로 돌아가 다시 시도해 주세요.
problem-username-taken-title = 이미 쓰고 있는 아이디예요
problem-username-taken-detail = 다른 사람이 쓰고 있는 아이디예요. 다른 아이디를 입력해 주세요.
problem-invalid-credentials-title = 로그인하지 못했어요
problem-invalid-credentials-detail = 아이디 또는 비밀번호가 맞지 않아요.
problem-login-required-title = 로그인이 필요해요
problem-login-required-detail = 계속하려면 로그인해 주세요.
problem-session-ended-title = 로그인이 끝났어요
problem-session-ended-detail = 다시 로그인해 주세요.
problem-cross-origin-title = 다른 사이트에서 온 요청이에요
problem-cross-origin-detail = 안전을 위해 이 사이트의 페이지에서 보낸 요청만 받아요. 이곳에서 페이지를 다시 열고 시도해 주세요.
problem-forbidden-title = 할 수 없는 일이에요
problem-forbidden-detail = 이 작업을 할 권한이 없어요.
problem-not-found-title = 찾을 수 없어요
problem-not-found-detail = 주소가 잘못됐거나 더 이상 없는 내용이에요.
problem-method-not-allowed-title = 여기서는 쓸 수 없는 요청이에요
problem-method-not-allowed-detail = 이 주소는 이런 방식의 요청을 받지 않아요.
problem-too-large-title = 요청이 너무 커요
problem-too-large-detail = 받을 수 있는 크기를 넘었어요.
problem-unsupported-media-type-title = 지원하지 않는 형식이에요
problem-unsupported-media-type-detail = 폼이나 JSON으로 보내 주세요.
problem-rate-limited-title = 시도가 너무 많았어요
problem-rate-limited-detail = { MINUTES($seconds) ->
    [0] { $seconds }초
   *[other] { MINUTES($seconds) }분
} 뒤에 다시 시도해 주세요.
problem-internal-title = 문제가 생겼어요
problem-internal-detail = 저희 쪽 문제예요. 잠시 뒤에 다시 시도해 주세요. 계속되면 요청 번호를 알려 주세요.
problem-unavailable-title = 잠시 쉬고 있어요
problem-unavailable-detail = 지금은 응답할 수 없어요. 잠시 뒤에 다시 시도해 주세요.

account-disabled = 사용이 중지된 계정이에요. 사이트 운영자에게 문의해 주세요.
registration-closed = 지금은 새 회원을 받고 있지 않아요.

## 입력 오류

field-required = 입력해 주세요.
field-username-length = { $min }~{ $max }자로 입력해 주세요.
field-username-characters = 영문, 숫자, 마침표(.), 하이픈(-), 밑줄(_)만 쓸 수 있어요.
field-username-reserved = 쓸 수 없는 아이디예요. 다른 아이디를 입력해 주세요.
field-username-taken = 다른 사람이 쓰고 있는 아이디예요. 다른 아이디를 입력해 주세요.
field-name-length = { $max }자 이하로 입력해 주세요.
field-name-characters = 이름에 쓸 수 없는 문자가 들어 있어요.
field-password-short = { $min }자 이상 입력해 주세요.
field-password-long = { $max }자 이하로 입력해 주세요.
field-password-common = 많이 쓰여서 알아내기 쉬운 비밀번호예요. 다른 비밀번호로 정해 주세요.
field-password-contains-username = 아이디가 들어가지 않은 비밀번호로 정해 주세요.
field-password-site-name = 사이트 이름만으로 된 비밀번호는 쓸 수 없어요. 다른 비밀번호로 정해 주세요.
field-password-breached = 다른 곳에서 유출된 적이 있는 비밀번호라서 공격자가 시도해 볼 거예요. 다른 비밀번호로 정해 주세요.
field-password-differs = 비밀번호가 서로 달라요.
field-password-wrong = 현재 비밀번호가 맞지 않아요.

## 아직 계정이 없을 때의 첫 페이지

welcome-title = { JOSA($name, "이/가") } 준비됐어요
welcome-text = 아직 만들어진 계정이 없어요. 네 단계만 거치면 앱에 로그인이 생겨요.
welcome-account-title = 첫 계정 만들기
welcome-account-text = 다른 계정과 똑같은 계정이에요. 만들고 나면 바로 로그인돼요.
welcome-account-closed = 회원가입이 닫혀 있어요. 서버에서 이 명령으로 만들어 주세요.
welcome-app-title = 앱 앞에 세우기
welcome-app-text = 알맞은 방법을 골라 주세요. 방법마다 설명 문서가 있어요.
welcome-app-proxy = 어떤 언어로 만든 앱이든: 프록시가 요청마다 물어봐요.
welcome-app-rust = Rust로 만든 앱: 로그인을 앱 안에 넣어요.
welcome-app-clients = Node.js, Python, 브라우저: 앱이 직접 확인해요.
welcome-address-title = 주소 정하기
welcome-address-text = 다른 사람이 들어오기 전에, 방문자가 입력할 주소를 munjigi.toml의 이 설정에 적어 주세요.
welcome-doctor-title = 점검하기
welcome-doctor-text = 서버에서 이 명령을 실행하면 모두 살펴보고, 고칠 점과 방법을 알려 줘요.
welcome-until = 첫 계정이 생기면 이 페이지는 더 나오지 않아요.

## 기기

device-on = { $system }의 { $browser }
device-unknown = 알 수 없는 기기

## 앞으로 생길 페이지의 부품과, 모든 부품을 보여 주는 페이지

label-email = 이메일 주소
label-code = 인증 번호 6자리

second-factor-title = 인증 번호를 입력해 주세요
second-factor-text = 인증 앱을 열고, 이 사이트에 표시된 번호를 입력해 주세요.
second-factor-submit = 계속하기
second-factor-other = 복구 코드로 인증하기

passkey-title = 패스키로 로그인
passkey-text = 지문이나 얼굴, 화면 잠금으로 로그인할 수 있어요.
passkey-submit = 패스키 사용하기
passkey-or = 또는
passkey-password = 비밀번호로 로그인하기

forgot-title = 비밀번호를 잊었나요?
forgot-text = 이메일 주소를 입력하면 새 비밀번호를 정할 수 있는 링크를 보내 드려요.
forgot-submit = 링크 받기
forgot-back = 로그인으로 돌아가기
sent-title = 이메일을 확인해 주세요
sent-text = { $email } 주소로 가입한 계정이 있다면 링크가 곧 도착해요. 링크는 { $minutes }분 동안 쓸 수 있어요.
reset-title = 새 비밀번호 정하기
verify-title = 이메일 주소 확인
verify-text = { $email }, 본인의 주소가 맞나요?
verify-submit = 네, 맞아요

mail-subject = { $site } 비밀번호 다시 정하기
mail-greeting = { $name }님, 안녕하세요
mail-text = 비밀번호를 다시 정하겠다는 요청을 받았어요. 아래 링크는 { $minutes }분 안에 한 번만 쓸 수 있어요.
mail-button = 새 비밀번호 정하기
mail-not-me = 요청한 적이 없다면 그냥 두세요. 비밀번호는 바뀌지 않아요.

codes-title = 복구 코드
codes-text = 안전한 곳에 보관해 주세요. 휴대전화를 쓸 수 없을 때 코드마다 한 번씩 쓸 수 있어요.
keys-title = 패스키
keys-remove = 지우기
keys-none = 아직 등록한 패스키가 없어요.

delete-title = 계정을 삭제할까요?
delete-text = 여기에 있는 내 정보가 모두 사라지고, 되돌릴 수 없어요.
delete-confirm = 확인을 위해 { JOSA($username, "을/를") } 입력해 주세요
delete-submit = 계정 삭제하기
delete-keep = 그대로 두기

style-title = 스타일
style-text = 페이지를 꾸미는 사람을 위해 모든 부품을 한자리에 모았어요.
style-buttons = 버튼
style-button-usual = 저장
style-button-other = 취소
style-button-plain = 건너뛰기
style-button-danger = 삭제
style-button-busy = 저장하는 중…
style-inputs = 입력란
style-notices = 알림
style-notice-info = 알아 두면 좋은 내용이에요.
style-notice-good = 잘됐어요.
style-notice-warn = 조만간 확인이 필요해요.
style-notice-bad = 잘되지 않았어요.
style-coming = 앞으로 생길 페이지

## 스크립트가 하는 말

password-show = { $label } 보기
password-caps = Caps Lock이 켜져 있어요.
busy-log-in = 로그인하는 중…
busy-register = 가입하는 중…
busy-save = 저장하는 중…
watch-ended = 여기서는 로그아웃됐어요. 입력한 내용은 이 페이지에 그대로 있어요.

## 비밀번호가 얼마나 강한지

strength-refused = 아직 쓸 수 없어요.
strength-weak = 약해요.
strength-fair = 보통이에요.
strength-good = 좋아요.
strength-strong = 아주 좋아요.
strength-advice-common = 누구나 시도해 보는 말에 조금 덧붙였을 뿐이에요. 여러 단어를 이어 보세요.
strength-advice-digits = 숫자만으로는 금방 알아낼 수 있어요. 단어를 더해 보세요.
strength-advice-repeats = 반복해서 써도 별로 강해지지 않아요. 다른 단어를 더해 보세요.
strength-advice-rows = 나란히 있는 글자나 숫자는 가장 먼저 시도해 보는 것이에요. 단어를 더해 보세요.
strength-advice-known = 아이디나 사이트 이름은 큰 도움이 안 돼요. 다른 단어를 더해 보세요.
strength-advice-longer = 단어를 한두 개 더하면 더 안전해져요.

## 사이트마다 다른 말: pages.folder의 파일에 적지 않으면 비어 있어요

login-extra = { "" }
register-extra = { "" }
footer-extra = { "" }

legal-terms = 이용약관
legal-privacy = 개인정보처리방침
register-agree = 가입하면 다음 내용에 동의하게 돼요.
