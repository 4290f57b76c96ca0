/* A PKCS#11 module that is SoftHSM's, but for what a file says: how a token behaves that is slow, full, or wrong.

   Built by tests/shim_world.py with -DREAL="…" (the module behind it) and -DSAID="…" (the file). Its first letter:
   s  C_Sign sleeps for five seconds
   w  C_Sign gives a signature that is wrong in one bit
   e  C_Sign says CKR_DEVICE_ERROR
   f  C_GenerateKeyPair and C_GenerateKey say CKR_DEVICE_MEMORY
   m  C_GetMechanismList has not the one whose number (hex) follows the letter
   Each C_Login adds a letter to the file SAID ".logins". Names and places are PKCS#11 2.40's (CK_FUNCTION_LIST). */

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef unsigned long word;
typedef word (*call)();

enum { MECHANISMS = 7, LOGIN = 18, SIGN = 43, GENERATE_KEY = 58, GENERATE_PAIR = 59, FUNCTIONS = 68 };
enum { DEVICE_ERROR = 0x30, DEVICE_MEMORY = 0x31 };

static struct { unsigned char version[8]; call of[FUNCTIONS]; } real, shown;

static int said(void)
{
    FILE *file = fopen(SAID, "r");
    int letter = file ? fgetc(file) : EOF;
    if (file)
        fclose(file);
    return letter;
}

static word signs(word session, unsigned char *data, word length, unsigned char *signature, word *size)
{
    int how = said();
    if (how == 's')
        sleep(5);
    if (how == 'e') {
        /* The session would stay in the midst of it; nobody uses it after that. */
        return DEVICE_ERROR;
    }
    word result = real.of[SIGN](session, data, length, signature, size);
    if (how == 'w' && result == 0 && signature)
        signature[*size - 1] ^= 1;
    return result;
}

static word logs_in(word session, word user, unsigned char *pin, word length)
{
    FILE *file = fopen(SAID ".logins", "a");
    if (file) {
        fputc('l', file);
        fclose(file);
    }
    return real.of[LOGIN](session, user, pin, length);
}

static word makes(word session, void *mechanism, void *public, word publics, void *private, word privates,
                  word *key, word *other)
{
    return said() == 'f' ? DEVICE_MEMORY
                         : real.of[GENERATE_PAIR](session, mechanism, public, publics, private, privates, key, other);
}

static word makes_secret(word session, void *mechanism, void *template, word count, word *key)
{
    return said() == 'f' ? DEVICE_MEMORY : real.of[GENERATE_KEY](session, mechanism, template, count, key);
}

static word lists(word slot, word *list, word *count)
{
    word lacks = 0, result = real.of[MECHANISMS](slot, list, count);
    FILE *file = fopen(SAID, "r");
    if (file && fscanf(file, "m%lx", &lacks) == 1 && result == 0 && list)
        for (word each = 0; each < *count; each++)
            if (list[each] == lacks)
                list[each] = 0; /* CKM_RSA_PKCS_KEY_PAIR_GEN, which nobody asks for */
    if (file)
        fclose(file);
    return result;
}

word C_GetFunctionList(void **list)
{
    void *library = dlopen(REAL, RTLD_NOW | RTLD_LOCAL);
    void *found = NULL;
    call get = library ? (call)dlsym(library, "C_GetFunctionList") : NULL;
    if (!get || get(&found))
        return DEVICE_ERROR;
    memcpy(&real, found, sizeof real);
    shown = real;
    shown.of[MECHANISMS] = (call)lists;
    shown.of[LOGIN] = (call)logs_in;
    shown.of[SIGN] = (call)signs;
    shown.of[GENERATE_KEY] = (call)makes_secret;
    shown.of[GENERATE_PAIR] = (call)makes;
    *list = &shown;
    return 0;
}
