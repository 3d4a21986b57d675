/*
 * A PKCS #11 module for tests: the module that TOKEN_MODULE names, whose token goes wrong as files in the folder
 * TOKEN_FAULTS say: `gone`, it is pulled; `lies`, its signatures are wrong; `plain`, it lacks EdDSA and ECDSA; `last`,
 * one more wrong PIN locks it. `logins` gets a byte for each PIN that comes.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <p11-kit/pkcs11.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static CK_FUNCTION_LIST ours, *real;

static const char *path_of(const char *name) {
	static __thread char path[4096];
	snprintf(path, sizeof path, "%s/%s", getenv("TOKEN_FAULTS"), name);
	return path;
}

static int is(const char *fault) {
	return access(path_of(fault), F_OK) == 0;
}

static CK_RV get_slot_list(CK_BBOOL present, CK_SLOT_ID *slots, CK_ULONG *count) {
	if (!is("gone")) return real->C_GetSlotList(present, slots, count);
	*count = 0;
	return CKR_OK;
}

static CK_RV get_token_info(CK_SLOT_ID slot, CK_TOKEN_INFO *info) {
	const CK_RV answer = is("gone") ? CKR_TOKEN_NOT_PRESENT : real->C_GetTokenInfo(slot, info);
	if (answer == CKR_OK && is("last")) info->flags |= CKF_USER_PIN_FINAL_TRY;
	return answer;
}

static CK_RV get_mechanism_info(CK_SLOT_ID slot, CK_MECHANISM_TYPE type, CK_MECHANISM_INFO *info) {
	return is("plain") ? CKR_MECHANISM_INVALID : real->C_GetMechanismInfo(slot, type, info);
}

static CK_RV get_session_info(CK_SESSION_HANDLE session, CK_SESSION_INFO *info) {
	return is("gone") ? CKR_DEVICE_REMOVED : real->C_GetSessionInfo(session, info);
}

static CK_RV log_in(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_UTF8CHAR *pin, CK_ULONG len) {
	const int fd = open(path_of("logins"), O_WRONLY | O_CREAT | O_APPEND, 0600);
	if (fd < 0 || write(fd, ".", 1) != 1) return CKR_GENERAL_ERROR;
	close(fd);
	return real->C_Login(session, user, pin, len);
}

static CK_RV sign_init(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key) {
	return is("gone") ? CKR_DEVICE_REMOVED : real->C_SignInit(session, mechanism, key);
}

static CK_RV sign(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG len, CK_BYTE *out, CK_ULONG *out_len) {
	const CK_RV answer = real->C_Sign(session, data, len, out, out_len);
	if (answer == CKR_OK && is("lies")) out[5] ^= 1;
	return answer;
}

CK_RV C_GetFunctionList(CK_FUNCTION_LIST **out) {
	void *module = dlopen(getenv("TOKEN_MODULE"), RTLD_NOW | RTLD_LOCAL);
	CK_C_GetFunctionList get = module ? (CK_C_GetFunctionList)dlsym(module, "C_GetFunctionList") : NULL;
	if (!get || get(&real) != CKR_OK) return CKR_GENERAL_ERROR;
	ours = *real;
	ours.C_GetSlotList = get_slot_list;
	ours.C_GetTokenInfo = get_token_info;
	ours.C_GetMechanismInfo = get_mechanism_info;
	ours.C_GetSessionInfo = get_session_info;
	ours.C_Login = log_in;
	ours.C_SignInit = sign_init;
	ours.C_Sign = sign;
	*out = &ours;
	return CKR_OK;
}
