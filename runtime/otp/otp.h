// otp.h: what the files of this directory share. They stand on the public headers alone, as a
// user's own behaviours would.
#ifndef WEFT_OTP_OTP_H
#define WEFT_OTP_OTP_H

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#define STEP_REDUCTIONS 10 // What a step of a loop without messages is charged: as a message.

#endif // WEFT_OTP_OTP_H
