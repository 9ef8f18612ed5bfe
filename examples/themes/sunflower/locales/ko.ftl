own-greeting = 해를 향해, 한 걸음 더.
own-greeting-more = 씨앗도, 정원도, 이웃도 { $site }에서 함께 가꿔요.

register-extra = 가입은 무료이고, 1분이면 충분해요.
