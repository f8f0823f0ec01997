# The C side of mask.py.  There is no compiled module: this is put into its callers.

cdef extern from *:
    """
    #include <string.h>

    static PyObject *natant_unmask(PyObject *data, Py_ssize_t start, Py_ssize_t size) {
        unsigned char *at = (unsigned char *)PyByteArray_AS_STRING(data) + start;
        unsigned char mask[8];
        unsigned long long eight, part;
        Py_ssize_t i = 0;
        memcpy(mask, at - 4, 4);
        memcpy(mask + 4, at - 4, 4);
        memcpy(&eight, mask, 8);
        for (; i + 8 <= size; i += 8) {
            memcpy(&part, at + i, 8);
            part ^= eight;
            memcpy(at + i, &part, 8);
        }
        for (; i < size; i++)
            at[i] ^= mask[i & 7];
        return PyUnicode_DecodeUTF8((const char *)at, size, NULL);
    }
    """
    str unmask "natant_unmask"(bytearray data, Py_ssize_t start, Py_ssize_t size)
